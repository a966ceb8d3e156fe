const PATHS = {
  flow: <path d="M5 4h6v6H5zM13 14h6v6h-6zM8 10v4a3 3 0 0 0 3 3h2" />,
  runs: <path d="M4 6h16M4 12h16M4 18h10" />,
  chat: <path d="M4 5h16v11H10l-4.5 4v-4H4z" />,
  undo: <path d="M9 6 4 11l5 5M4 11h10a6 6 0 0 1 0 12h-2" transform="translate(0 -3)" />,
  redo: <path d="m15 6 5 5-5 5M20 11H10a6 6 0 0 0 0 12h2" transform="translate(0 -3)" />,
  pencil: <path d="M4 20l1-4L16 5l3 3L8 19zM14 7l3 3" />,
  clip: <path d="M19 11.5 12 18.5a4.2 4.2 0 0 1-6-6l7.5-7.5a2.8 2.8 0 0 1 4 4l-7.3 7.3a1.4 1.4 0 0 1-2-2l6.6-6.6" />,
  folder: <path d="M3.5 6h6l2 2.5h9V19h-17z" />,
  inbox: <path d="M4 13l2.5-8h11L20 13v6H4zM4 13h5l1 3h4l1-3h5" />,
  settings: (
    <>
      <path d="M4 7h9M19 7h1M4 17h1M11 17h9" />
      <circle cx="16" cy="7" r="2.5" />
      <circle cx="8" cy="17" r="2.5" />
    </>
  ),
  chart: <path d="M4 4v16h16M8 16v-5M12.5 16V7M17 16v-8" />,
  pulse: <path d="M3 12h4l2.5-7 5 14L17 12h4" />,
  users: (
    <>
      <circle cx="9" cy="8" r="3.5" />
      <path d="M2.5 20a6.5 6.5 0 0 1 13 0M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8" />
    </>
  ),
  search: (
    <>
      <circle cx="11" cy="11" r="6.5" />
      <path d="m16 16 4.5 4.5" />
    </>
  ),
  copy: (
    <>
      <rect x="8" y="8" width="12" height="12" rx="2" />
      <path d="M16 8V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h2" />
    </>
  ),
  check: <path d="m5 12.5 4.5 4.5L19 7.5" />,
  plus: <path d="M12 5v14M5 12h14" />,
  minus: <path d="M5 12h14" />,
  spark: <path d="M12 3v5M12 16v5M3 12h5M16 12h5M6 6l3 3M15 15l3 3M18 6l-3 3M9 15l-3 3" />,
  wrench: <path d="M20 7a5 5 0 0 1-6.6 4.7L6 19.1 4.9 18l7.4-7.4A5 5 0 0 1 17 4l-3 3 3 3z" />,
  layers: <path d="m12 4 8 4-8 4-8-4zM4 12l8 4 8-4M4 16l8 4 8-4" />,
  more: (
    <>
      <circle cx="5" cy="12" r="0.9" />
      <circle cx="12" cy="12" r="0.9" />
      <circle cx="19" cy="12" r="0.9" />
    </>
  ),
  close: <path d="M6 6l12 12M18 6L6 18" />,
  chevron: <path d="m9 6 6 6-6 6" />,
  down: <path d="M12 5v14M6 13l6 6 6-6" />,
  play: <path d="M7 5v14l12-7z" />,
  pause: <path d="M8 5v14M16 5v14" />,
  stop: <rect x="6" y="6" width="12" height="12" rx="1.5" />,
  retry: <path d="M4 12a8 8 0 1 1 2.5 5.8M4 20v-5h5" />,
  again: <path d="M17 3l4 4-4 4M21 7H8a5 5 0 0 0-5 5M7 21l-4-4 4-4M3 17h13a5 5 0 0 0 5-5" />,
  logout: <path d="M14 4H6v16h8M10 12h10M17 8.5l3.5 3.5-3.5 3.5" />,
  sun: (
    <>
      <circle cx="12" cy="12" r="4" />
      <path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4" />
    </>
  ),
  alert: <path d="M12 4 2.5 20h19zM12 10v4.5M12 17.4v.1" />,
  lock: (
    <>
      <rect x="5" y="11" width="14" height="9" rx="2" />
      <path d="M8 11V8a4 4 0 0 1 8 0v3" />
    </>
  ),
  clock: (
    <>
      <circle cx="12" cy="12" r="8" />
      <path d="M12 7.5V12l3 2" />
    </>
  ),
} as const

/** The icons of the page. */
export type IconName = keyof typeof PATHS

/** A line icon of 24 units, drawn in the colour of the text. Decorative: the words beside it say what it means. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden
    >
      {PATHS[name]}
    </svg>
  )
}
