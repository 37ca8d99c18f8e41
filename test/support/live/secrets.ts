/** What nobody outside may read, and what nobody outside may make us believe: rows with a mark that is searched for. */

import { expect } from 'vitest';
import type { SipText } from './sip-text.js';

/** Rows that no network without an agreement may see of us, nor say to us. */
export function privateRows(mark: string): readonly string[] {
  return [
    `P-Asserted-Identity: "${mark}" <sip:${mark}@own.example>`,
    `P-Charging-Vector: icid-value=${mark};orig-ioi=own.example`,
    `P-Charging-Function-Addresses: ccf=${mark}.own.example`,
    `P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=${mark}`,
    `P-Served-User: <sip:${mark}@own.example>`,
    `P-Visited-Network-ID: ${mark}`,
    `P-Profile-Key: <sip:${mark}@own.example>`,
    `Remote-Party-ID: <sip:${mark}@own.example>;party=calling`,
    `p-ASSERTED-identity : <tel:+1555;ext=${mark}>`,
  ];
}

export function expectNowhere(mark: string, texts: readonly SipText[]): void {
  expect(texts.filter((text) => text.toLowerCase().includes(mark))).toEqual([]);
}
