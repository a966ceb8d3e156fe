/** What the last stage of a Dockerfile says of the containers made of it. */
export type ImageConfig = {
  readonly env: Readonly<Record<string, string>>
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly healthCheck: readonly string[]
  readonly workdir: string
  readonly user: string
}

/** Reads the instructions of the last stage; lines that go on are joined. Takes the exec form (JSON) of ENTRYPOINT, CMD and HEALTHCHECK only. */
export function readDockerfile(text: string): ImageConfig {
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
  const stage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
  const last = (name: string): string => stage.findLast((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? ''
  const list = (value: string): string[] => JSON.parse(value === '' ? '[]' : value) as string[]
  const pairs = stage.filter((line) => line.startsWith('ENV ')).flatMap((line) => [...line.matchAll(/(\w+)=(\S+)/g)])
  return {
    env: Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value])),
    entrypoint: list(last('ENTRYPOINT')),
    command: list(last('CMD')),
    healthCheck: list(last('HEALTHCHECK').replace(/^.*CMD /, '')),
    workdir: last('WORKDIR'),
    user: last('USER'),
  }
}
