import { basename, extname } from 'node:path'

const LANGUAGES: Readonly<Record<string, string>> = {
  c: 'C',
  cc: 'C++',
  cpp: 'C++',
  cs: 'C#',
  css: 'CSS',
  csv: 'CSV',
  go: 'Go',
  h: 'C',
  hpp: 'C++',
  html: 'HTML',
  java: 'Java',
  js: 'JavaScript',
  json: 'JSON',
  jsonl: 'JSON',
  jsx: 'JavaScript',
  kt: 'Kotlin',
  lua: 'Lua',
  md: 'Markdown',
  mdx: 'Markdown',
  mjs: 'JavaScript',
  cjs: 'JavaScript',
  php: 'PHP',
  py: 'Python',
  rb: 'Ruby',
  rs: 'Rust',
  scss: 'CSS',
  sh: 'Shell',
  sql: 'SQL',
  svg: 'SVG',
  swift: 'Swift',
  toml: 'TOML',
  ts: 'TypeScript',
  tsx: 'TypeScript',
  txt: 'Text',
  vue: 'Vue',
  xml: 'XML',
  yaml: 'YAML',
  yml: 'YAML',
  zig: 'Zig',
}

const NAMES: Readonly<Record<string, string>> = { dockerfile: 'Dockerfile', makefile: 'Makefile', license: 'Text' }

/** The language that a file's name stands for; its extension, or `other`, for names that are not known. */
export function languageOf(path: string): string {
  const name = basename(path).toLowerCase()
  const extension = extname(name).slice(1)
  return NAMES[name] ?? LANGUAGES[extension] ?? (extension === '' ? 'other' : `.${extension}`)
}
