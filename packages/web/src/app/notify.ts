import { notifications } from '@mantine/notifications'
import { createElement } from 'react'
import { messageOf } from '../api/problem.ts'
import { Undo } from './undo.tsx'

/** Tells a person that something they asked for did not happen, and why. */
export function notifyFailure(title: string, error: unknown): void {
  notifications.show({ color: 'red', title, message: messageOf(error), autoClose: 10_000 })
}

/** Tells a person that something they asked for is done; with `undo` there is a while to take it back. */
export function notifyDone(message: string, undo?: () => void): void {
  if (!undo) {
    notifications.show({ color: 'teal', message, autoClose: 4000 })
    return
  }
  const id = notifications.show({
    color: 'teal',
    message: createElement(Undo, {
      message,
      undo: () => {
        notifications.hide(id)
        undo()
      },
    }),
    autoClose: 10_000,
  })
}
