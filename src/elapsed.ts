/** Clocks are slewed by less than this; further back they are set. */
const SET_BACK_MS = 1000;

/**
 * Whether `span` ms have passed since an instant of the wall clock. They have as well where the clock was set back behind it:
 * whatever was to be kept or kept quiet for a minute would otherwise be so for as long as the clock had been wrong.
 */
export function hasPassed(since: number, span: number, now: number): boolean {
  return now - since >= span || isSetBack(since, now);
}

/** Whether the clock was set back since it showed an instant. */
export function isSetBack(since: number, now: number): boolean {
  return now - since < -SET_BACK_MS;
}
