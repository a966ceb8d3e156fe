import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'
import { importRun } from '../api/import-run.ts'
import { notifyDone, notifyFailure } from '../app/notify.ts'

/** Lets a person choose an exported file, reads it in, and leads to the run. */
export function useImport(): () => void {
  const navigate = useNavigate()
  const client = useQueryClient()
  return useCallback(() => {
    const read = async (file: File) => {
      try {
        const { fid } = await importRun(file)
        await client.invalidateQueries({ queryKey: ['runs'] })
        notifyDone(`${file.name} was imported.`)
        await navigate({ to: '/runs/$fid', params: { fid } })
      } catch (error) {
        notifyFailure(`Could not import ${file.name}`, error)
      }
    }
    const field = document.createElement('input')
    field.type = 'file'
    field.accept = '.jsonl,.ndjson,application/x-ndjson'
    field.addEventListener('change', () => {
      const file = field.files?.[0]
      if (file) void read(file)
    })
    field.click()
  }, [navigate, client])
}
