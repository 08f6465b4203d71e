import type { ModelCard, ModelCardView } from '@perennial/contract';
import type { Document, Fact, Section } from '../document/document.ts';
import { instantText } from '../document/number-text.ts';
import { importedGlance, importedSections } from './imported-sections.ts';
import { overviewSection } from './overview-section.ts';
import { notesSection, overrideNotices, releasesSection } from './release-sections.ts';
import { trainedGlance, trainedSections } from './trained-sections.ts';

/** What a model card says, with what happened to the version since, in the order in which a reader wants to know it. */
export function modelCardDocument({ card, since }: ModelCardView): Document {
  const own = ownParts(card);
  const sections = [overviewSection(card), notesSection(since), releasesSection(since), ...own.sections];
  return {
    title: `${card.model}, version ${card.version}`,
    lead: own.lead,
    notices: overrideNotices(since),
    glance: own.glance,
    sections: sections.filter((section) => section !== null),
  };
}

interface OwnParts {
  lead: string;
  glance: Fact[];
  sections: (Section | null)[];
}

function ownParts(card: ModelCard): OwnParts {
  const registered = `Registered ${instantText(card.createdAt)}`;
  switch (card.kind) {
    case 'trained':
      return {
        lead: `${registered} from data up to ${instantText(card.data.asOf)}.`,
        glance: trainedGlance(card),
        sections: trainedSections(card),
      };
    case 'imported':
      return {
        lead: `${registered} as a file that was made elsewhere.`,
        glance: importedGlance(card),
        sections: importedSections(card),
      };
  }
}
