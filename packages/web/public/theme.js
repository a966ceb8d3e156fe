// Sets the colour scheme before the first paint, so that a dark page does not flash white. A file of its own: the page's policy forbids inline scripts.
;(function () {
  var wanted = 'auto'
  try {
    wanted = localStorage.getItem('koco-color-scheme') || 'auto'
  } catch {
    // Storage may be forbidden; then the system's scheme is used.
  }
  var dark = wanted === 'dark' || (wanted === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light')
})()
