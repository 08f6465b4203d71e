import type { Approval, CardEvents, Override, Release, ReleaseState } from '@perennial/contract';
import type { Block, Notice, Section, Table, Text, Tone } from '../document/document.ts';
import { countText, instantText, numberText } from '../document/number-text.ts';

/** Every override of the gate, for whoever reads no further than the top. */
export function overrideNotices({ overrides }: CardEvents): Notice[] {
  return overrides.map(({ release, by, at, reason }): Notice => ({
    title: 'The gate was overridden',
    text: [{ strong: by }, `let this version through on ${instantText(at)}, in`, { code: release }],
    quote: reason,
  }));
}

/** The same in a sentence, for a form without boxes. */
export function overrideText({ by, at, reason }: Override): string {
  return `The gate was overridden by ${by} on ${instantText(at)}: ${reason}`;
}

/** What was said of the version since it was registered; null where nothing was. */
export function notesSection({ description, tags }: CardEvents): Section | null {
  const entries = Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const blocks: Block[] = [];
  if (description.trim() !== '') blocks.push({ kind: 'prose', text: description });
  if (entries.length > 0) blocks.push({ kind: 'facts', caption: 'Tags of the version', entries });
  return blocks.length === 0 ? null : { title: 'Notes', blocks };
}

/** Every release of the version: who asked, who decided, when. */
export function releasesSection({ releases }: CardEvents): Section {
  if (releases.length === 0)
    return { title: 'Releases', blocks: [{ kind: 'text', text: 'No release has been asked for.' }] };
  return { title: 'Releases', blocks: [releasesTable(releases), ...approvalBlocks(releases)] };
}

function releasesTable(releases: readonly Release[]): Table {
  return {
    kind: 'table',
    caption: 'Requests to put the version into production, newest first',
    head: ['State', 'Since', 'Asked for', 'By', 'Approvals', 'Decided by', 'Reason', 'Release'],
    rows: releases.map((release): Text[] => [
      stateText(release),
      instantText(release.updatedAt),
      instantText(release.requestedAt),
      release.requestedBy,
      release.approvers === 0
        ? 'by policy'
        : `${numberText(release.approvals.length)} of ${numberText(release.approvers)}`,
      release.decidedBy ?? '',
      release.reason ?? '',
      { code: release.id },
    ]),
  };
}

function stateText({ state, override }: Release): Text {
  const badge = { badge: state, tone: stateTone(state) };
  return override ? [badge, { badge: 'override', tone: 'bad' }] : badge;
}

function stateTone(state: ReleaseState): Tone {
  switch (state) {
    case 'live':
      return 'good';
    case 'rejected':
    case 'rolled-back':
      return 'bad';
    case 'pending':
    case 'approved':
      return 'unsure';
    case 'superseded':
      return 'plain';
  }
}

function approvalBlocks(releases: readonly Release[]): Block[] {
  const given = releases.flatMap(({ id, approvals }) => approvals.map((approval) => ({ id, approval })));
  if (given.length === 0) return [];
  return [
    { kind: 'heading', text: 'Approvals' },
    {
      kind: 'table',
      caption: `${countText(given.length, 'approval')}, each of the very artifact and gate report named`,
      head: ['By', 'On', 'Until', 'Comment', 'Artifact', 'Gate report', 'Release'],
      rows: given.map(({ id, approval }) => approvalRow(id, approval)),
    },
  ];
}

function approvalRow(release: string, approval: Approval): Text[] {
  return [
    approval.by,
    instantText(approval.at),
    instantText(approval.expiresAt),
    approval.comment,
    { code: approval.artifact },
    approval.gateReport === null ? 'none' : { code: approval.gateReport },
    { code: release },
  ];
}
