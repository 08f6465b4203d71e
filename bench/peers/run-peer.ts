import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PEERS, pythonEnvironment } from './environment.ts';
import { type Peer } from './peer.ts';
import { sampleRow } from './peers.ts';

export interface RunningPeer {
  peer: Peer;
  url: string;
  stop: () => Promise<void>;
}

export interface PeerStart {
  /** Name of its environment: peers of one environment are installed once. */
  environment: string;
  model: string;
  port: number;
  folder: string;
}

/** Installs and starts a peer; null where it cannot be had, with the reason on the screen. */
export async function startPeer(peer: Peer, start: PeerStart): Promise<RunningPeer | null> {
  const programs = await pythonEnvironment(start.environment, peer.packages);
  if (programs === null) return null;
  await mkdir(start.folder, { recursive: true });
  const env = { ...process.env, PEER_MODEL: start.model, PYTHONPATH: PEERS, OMP_NUM_THREADS: '1' };
  const preparation = peer.prepare?.(start);
  if (preparation) {
    const { status } = spawnSync(join(programs, preparation.program), preparation.args, {
      env,
      stdio: 'ignore',
    });
    if (status !== 0) return refused(peer, `its preparation ended with ${status}`);
  }
  const { program, args, env: own } = peer.start(start);
  const child = spawn(join(programs, program), args, {
    cwd: PEERS,
    env: { ...env, PATH: `${programs}:${process.env['PATH']}`, ...own },
    stdio: ['ignore', 'ignore', 'pipe'],
    // Of its own group, since some start further processes and leave them behind.
    detached: true,
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2_000)));
  const url = `http://127.0.0.1:${start.port}`;
  const stop = () => stopGroup(child);
  if (await answers(peer, url, child)) return { peer, url, stop };
  await stop();
  return refused(peer, errors.trim().split('\n').slice(-3).join(' '));
}

function refused(peer: Peer, reason: string): null {
  console.log(`${peer.name}: does not start here: ${reason}`);
  return null;
}

const START_SECONDS = 90;

async function answers(peer: Peer, url: string, child: ChildProcess): Promise<boolean> {
  for (let second = 0; second < START_SECONDS * 4 && child.exitCode === null; second++) {
    const response = await fetch(url + peer.path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: peer.body(sampleRow(0)),
    }).catch(() => null);
    const text = await response?.text();
    if (response?.ok) {
      console.log(`${peer.name} answers: ${text?.slice(0, 120)}`);
      return true;
    }
    await wait(250);
  }
  return false;
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const ended = once(child, 'exit');
  process.kill(-child.pid, 'SIGTERM');
  await Promise.race([ended, wait(5_000)]);
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The whole group has ended.
  }
}
