/** PKITS cases whose outcome differs here, each with its reason. One that passes after all is an error too. */
export const PKITS_EXCEPTIONS: readonly {
  readonly id: string;
  readonly expected: 'SUCCESS' | 'FAILURE';
  readonly actual: 'SUCCESS' | 'FAILURE';
  readonly reason: string;
}[] = [
  {
    id: '40104_valid_dsa_signatures_test4',
    expected: 'SUCCESS',
    actual: 'FAILURE',
    reason: 'DSA with SHA-1 is refused: TS 33.310 §6.1.1 knows RSA and ECDSA from SHA-256 up (rulebook G-30, G-31)',
  },
  {
    id: '40105_valid_dsa_parameter_inheritance_test5',
    expected: 'SUCCESS',
    actual: 'FAILURE',
    reason: 'DSA with SHA-1 is refused: TS 33.310 §6.1.1 knows RSA and ECDSA from SHA-256 up (rulebook G-30, G-31)',
  },
];
