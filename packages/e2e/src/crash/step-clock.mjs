// Preloaded into a process whose clock a test sets: each SIGUSR2 puts it 90 s back. Only what people call the time moves, as when somebody sets a machine's clock; timers go on.
const STEP_MS = 90_000
const RealDate = Date
let stepMs = 0

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + stepMs)
    else super(...args)
  }

  static now() {
    return RealDate.now() + stepMs
  }
}

process.on('SIGUSR2', () => {
  stepMs -= STEP_MS
})
