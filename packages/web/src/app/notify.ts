import { notifications } from '@mantine/notifications'
import { messageOf } from '../api/problem.ts'

/** Tells a person that something they asked for did not happen, and why. */
export function notifyFailure(title: string, error: unknown): void {
  notifications.show({ color: 'red', title, message: messageOf(error), autoClose: 10_000 })
}

/** Tells a person that something they asked for is done. */
export function notifyDone(message: string): void {
  notifications.show({ color: 'teal', message, autoClose: 4000 })
}
