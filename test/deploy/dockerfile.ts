import { readFileSync } from 'node:fs';
import { DockerfileParser, type Instruction } from 'dockerfile-ast';
import { REPOSITORY } from './compose-file.ts';

export interface Stage {
  image: string;
  name: string | null;
  instructions: Instruction[];
}

/** The stages of a Dockerfile of the repository. */
export function readDockerfile(path: string): Stage[] {
  const file = DockerfileParser.parse(readFileSync(`${REPOSITORY}${path}`, 'utf8'));
  const stages: Stage[] = [];
  for (const instruction of file.getInstructions()) {
    if (instruction.getKeyword() === 'FROM') {
      const [image = '', , name = null] = instruction.getArguments().map((argument) => argument.getValue());
      stages.push({ image, name, instructions: [] });
    } else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** The instructions of a stage with this keyword. */
export function instructionsOf(stage: Stage, keyword: string): Instruction[] {
  return stage.instructions.filter((instruction) => instruction.getKeyword() === keyword);
}

/**
 * The words of the last `ENTRYPOINT`, `CMD` or `HEALTHCHECK` of a stage.
 * @throws when there is none, or one in the form that goes through a shell
 */
export function execForm(stage: Stage, keyword: 'ENTRYPOINT' | 'CMD' | 'HEALTHCHECK'): string[] {
  const text = instructionsOf(stage, keyword).at(-1)?.getRawArgumentsContent() ?? '';
  const words = /\[.*\]$/s.exec(text)?.[0];
  if (words === undefined) throw new Error(`${keyword} is not a list of words: '${text}'`);
  return JSON.parse(words) as string[];
}
