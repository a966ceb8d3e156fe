import { plainText } from '../show/ansi.ts'
import classes from './timeline.module.css'

const SHOWN_CHARS = 4000

/** What models are writing now; it goes when the event that holds the whole text arrives. */
export function LiveTextRow({ texts }: { readonly texts: ReadonlyMap<string, string> }) {
  return [...texts].map(([step, text]) => (
    <div key={step} className={classes['live']} data-live-text>
      <span className={classes['writing']}>{step === '' ? 'Writing' : `${step} is writing`} …</span>
      <pre className={classes['delta']}>{text.slice(-SHOWN_CHARS).replaceAll(/[^\n]+/g, plainText)}</pre>
    </div>
  ))
}
