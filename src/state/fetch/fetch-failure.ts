/** Why nothing was fetched, in words for an operator. */
export class FetchFailure extends Error {
  override readonly name = 'FetchFailure';
}
