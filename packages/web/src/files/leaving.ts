const underWay = new Set<object>()

/** Has the browser ask before the page is closed or loaded anew while `what` is under way: what has not arrived by then is forgotten. */
export function askBeforeLeaving(what: object, yes: boolean): void {
  if (yes) underWay.add(what)
  else underWay.delete(what)
  if (underWay.size > 0) window.addEventListener('beforeunload', ask)
  else window.removeEventListener('beforeunload', ask)
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault()
}
