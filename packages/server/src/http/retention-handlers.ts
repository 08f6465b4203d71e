import { countKeyRows } from '@perennial/data';
import { PersonalDataDesk, RetentionDesk, type PersonalDataDependencies } from '@perennial/registry';
import type { HandlerContext, Handlers } from './route-registration.ts';

export type RetentionHandlerDependencies = Omit<PersonalDataDependencies, 'countKeyRows'>;

/** How long things are kept, and what is on record about one key. */
export function retentionHandlers(dependencies: RetentionHandlerDependencies) {
  const retention = new RetentionDesk(dependencies);
  const personalData = new PersonalDataDesk({ ...dependencies, countKeyRows });
  return {
    getRetention: () => retention.policy(),
    changeRetention: ({ body }, context) => retention.change(body, askerOf(context)),
    planRetention: () => retention.plan(),
    applyRetention: (_, context) => retention.apply(askerOf(context)),
    exportPersonalData: ({ query }, context) => personalData.export(query.key, askerOf(context)),
    erasePersonalData: ({ body }, context) => personalData.erase(body, askerOf(context)),
  } satisfies Partial<Handlers>;
}

function askerOf({ principal, origin }: HandlerContext) {
  return { by: principal.name, origin };
}
