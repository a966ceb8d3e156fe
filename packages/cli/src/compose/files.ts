import { resolve } from 'node:path'
import { createPanelFiles, FileFolder, Workspaces, type FileContents, type FileStore } from '@koco/flow'
import type { Settings } from '../settings/schema.ts'
import { filesInPanelFolder } from './panel-folder.ts'

/** Where the panel keeps uploads and the files of runs, and what they may hold, in the panel's words. */
export function panelFiles(settings: Settings, cwd: string) {
  const { uploadFileMax: fileBytesMax, uploadRunMax: runBytesMax, uploadExpires: uploadExpiresS } = settings
  return { uploadDir: resolve(cwd, settings.uploadDir), limits: { fileBytesMax, runBytesMax, uploadExpiresS } }
}

/** The files of runs as the process finds them that executes flows beside the panel's folder. */
export function folderFiles(settings: Settings, cwd: string, contents?: FileContents): FileFolder {
  const { uploadDir, limits } = panelFiles(settings, cwd)
  return new FileFolder(uploadDir, limits, contents)
}

/** The files of runs as a worker finds them, which may be on another host: then in the panel's folder, or through the panel. */
export function workerFiles(settings: Settings, cwd: string, contents?: FileContents): FileStore {
  if (settings.files === 'panel') return createPanelFiles({ url: settings.appServer, key: settings.apiKey ?? '' })
  return filesInPanelFolder(folderFiles(settings, cwd, contents), resolve(cwd, settings.uploadDir))
}

/** The workspaces of sessions. */
export function workspaces(settings: Settings, cwd: string): Workspaces {
  return new Workspaces(resolve(cwd, settings.workspaceDir))
}
