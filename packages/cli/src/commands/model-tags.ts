import type { Command } from 'commander';
import type { Client } from '@perennial/client';
import type { Tags } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { parseModelName, type ModelName } from '../model-name.ts';
import { writeJson, type Output } from '../output.ts';

interface TagOptions extends ConnectionOptions {
  remove: string[];
  json: boolean;
}

export function registerModelTags(models: Command, output: Output): void {
  const tag = models
    .command('tag')
    .description('set and remove tags of a model (flight-delay) or of one of its versions (flight-delay@3)')
    .argument('<model>')
    .argument('[tags...]', 'key=value')
    .option('--remove <key...>', 'tags to remove', [])
    .option('--json', 'print JSON', false)
    .action((model: string, tags: string[], options: TagOptions) =>
      changeTags({ model, tags }, options, output),
    );
  withConnection(tag);
  const describe = models
    .command('describe')
    .description('say what a model or one of its versions is; an empty text takes back what was said')
    .argument('<model>')
    .argument('<text>')
    .action(async (model: string, description: string, options: ConnectionOptions) => {
      const said = await describeOne(connect(options), parseModelName(model), description);
      output.write(`${model}: ${said === '' ? '(no description)' : said}\n`);
    });
  withConnection(describe);
}

async function changeTags(
  { model, tags }: { model: string; tags: string[] },
  { remove, json, ...connection }: TagOptions,
  output: Output,
): Promise<void> {
  const name = parseModelName(model);
  // All are read before the first is set.
  const pairs = tags.map(parseTag);
  const client = connect(connection);
  let kept = await tagsOf(client, name);
  for (const pair of pairs) kept = await setTag(client, name, pair);
  for (const key of remove) kept = await removeTag(client, name, key);
  if (json) return writeJson(output, kept);
  const lines = Object.entries(kept).map(([key, value]) => `${key}=${value}\n`);
  output.write(lines.length === 0 ? `${model} has no tags\n` : lines.join(''));
}

interface Pair {
  key: string;
  value: string;
}

function parseTag(text: string): Pair {
  const [key = '', ...rest] = text.split('=');
  if (key === '' || rest.length === 0) throw new UsageError(`'${text}' is not a tag (team=growth).`);
  return { key, value: rest.join('=') };
}

async function tagsOf(client: Client, { model, version }: ModelName): Promise<Tags> {
  const { tags } =
    version === undefined
      ? await client.getModel({ params: { model } })
      : await client.getVersion({ params: { model, version } });
  return tags;
}

async function setTag(client: Client, { model, version }: ModelName, body: Pair): Promise<Tags> {
  const { tags } =
    version === undefined
      ? await client.tagModel({ params: { model }, body })
      : await client.tagVersion({ params: { model, version }, body });
  return tags;
}

async function removeTag(client: Client, { model, version }: ModelName, key: string): Promise<Tags> {
  const { tags } =
    version === undefined
      ? await client.untagModel({ params: { model, key } })
      : await client.untagVersion({ params: { model, version, key } });
  return tags;
}

async function describeOne(client: Client, { model, version }: ModelName, text: string): Promise<string> {
  const { description } =
    version === undefined
      ? await client.changeModel({ params: { model }, body: { description: text } })
      : await client.changeVersion({ params: { model, version }, body: { description: text } });
  return description;
}
