// Goal: the settings table of the README is right after every change of the schema. Method: the schema prints the table; the README must hold it letter for letter.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { settingsTable } from './schema.ts'

test('the README holds the table that the schema gives', () => {
  expect(readFileSync(new URL('../../README.md', import.meta.url), 'utf8')).toContain(settingsTable())
})
