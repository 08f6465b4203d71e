import { Option, type Command } from 'commander';
import { everyItem } from '@perennial/client';
import {
  WEBHOOK_EVENTS,
  deliveryStateSchema,
  type Delivery,
  type DeliveryState,
  type Webhook,
  type WebhookEventType,
} from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { parseLimit } from '../limit.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

export function registerWebhooks(program: Command, output: Output): void {
  const webhooks = program.command('webhooks').description('have events sent to an address of yours');
  for (const register of [registerAdd, registerList, registerRemove, registerDeliveries, registerReplay])
    withConnection(register(webhooks, output));
}

interface AddOptions extends ConnectionOptions {
  event: WebhookEventType[];
  model?: string;
  json: boolean;
}

function registerAdd(webhooks: Command, output: Output): Command {
  return webhooks
    .command('add')
    .description('send events to an address from now on, and show the secret they are signed with')
    .argument('<url>')
    .addOption(
      new Option('--event <event...>', 'what to send').choices([...WEBHOOK_EVENTS]).makeOptionMandatory(),
    )
    .option('--model <model>', 'only events of this model')
    .option('--json', 'print JSON', false)
    .action(async (url: string, { event, model, json, ...connection }: AddOptions) => {
      const body = { url, events: event, ...(model === undefined ? {} : { model }) };
      const created = await connect(connection).createWebhook({ body });
      if (json) return writeJson(output, created);
      output.write(`${created.id} sends ${describe(created)} to ${created.url}\n`);
      output.write(`Secret, not shown again: ${created.secret}\n`);
    });
}

interface ListOptions extends ConnectionOptions {
  json: boolean;
}

function registerList(webhooks: Command, output: Output): Command {
  return webhooks
    .command('list')
    .description('show the webhooks, newest first')
    .option('--json', 'print JSON', false)
    .action(async ({ json, ...connection }: ListOptions) => {
      const client = connect(connection);
      const items: Webhook[] = [];
      for await (const item of everyItem((cursor) => client.listWebhooks({ query: { cursor } })))
        items.push(item);
      if (json) return writeJson(output, items);
      const rows = items.map(({ id, url, events, model, createdBy, createdAt }) => [
        id,
        url,
        events.join('\n'),
        model,
        `${createdAt}\n${createdBy}`,
      ]);
      writeTable(output, ['webhook', 'address', 'events', 'model', 'since'], rows);
    });
}

function registerRemove(webhooks: Command, output: Output): Command {
  return webhooks
    .command('remove')
    .description('send no more events; what waits is dropped')
    .argument('<webhook>')
    .action(async (webhook: string, connection: ConnectionOptions) => {
      const removed = await connect(connection).deleteWebhook({ params: { webhook } });
      output.write(`${removed.id} sends nothing to ${removed.url} any more\n`);
    });
}

interface DeliveriesOptions extends ConnectionOptions {
  state?: DeliveryState;
  limit: string;
  json: boolean;
}

function registerDeliveries(webhooks: Command, output: Output): Command {
  return webhooks
    .command('deliveries')
    .description('say what was sent to a webhook and what came of it, newest first')
    .argument('<webhook>')
    .addOption(new Option('--state <state>', 'only those').choices([...deliveryStateSchema.options]))
    .option('--limit <number>', 'how many at most, 1 to 500', '20')
    .option('--json', 'print JSON, with the events', false)
    .action(async (webhook: string, { state, limit, json, ...connection }: DeliveriesOptions) => {
      const query = { limit: parseLimit(limit), state };
      const { items } = await connect(connection).listDeliveries({ params: { webhook }, query });
      if (json) return writeJson(output, items);
      writeTable(output, ['delivery', 'event', 'state', 'attempts', 'next', 'last said'], items.map(row));
    });
}

function registerReplay(webhooks: Command, output: Output): Command {
  return webhooks
    .command('replay')
    .description('send a delivery again, under the id it had')
    .argument('<delivery>')
    .action(async (delivery: string, connection: ConnectionOptions) => {
      const again = await connect(connection).replayDelivery({ params: { delivery } });
      output.write(`${again.id} is sent again; attempts so far: ${again.attempts}\n`);
    });
}

function describe({ events, model }: Webhook): string {
  return `${events.join(', ')} of ${model ?? 'all models'}`;
}

function row({ id, event, state, attempts, nextAttemptAt, lastStatus, lastError }: Delivery) {
  return [id, event.type, state, attempts, nextAttemptAt, lastError ?? (lastStatus && String(lastStatus))];
}
