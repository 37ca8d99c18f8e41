/** The forms that rows of the header table take, so that each row says only what is its own. */

import { ADDRESS_FIELDS, IDENTITY_FIELDS, OTHER_URI_FIELDS } from '../grammar/index.js';
import type { BoundaryRule, ByInterconnect, ByMode, Confidence, RuleKind } from './rules.js';

/**
 * Fields that hold URIs and may be edited. Record-Route is another proxy's to read back and stays as it is; what it
 * turns into, Route, is cleaned.
 */
export const URI_FIELDS: ReadonlySet<string> = new Set(
  [...ADDRESS_FIELDS, ...IDENTITY_FIELDS, ...OTHER_URI_FIELDS].filter((key) => key !== 'record-route'),
);

type Spec = Partial<Omit<BoundaryRule, 'name' | 'kind' | 'row' | 'clause' | 'confidence'>>;

/** A row; what is not said removes towards an untrusted peer and keeps towards a trusted one. */
export function rule(
  kind: RuleKind,
  row: string,
  name: string,
  confidence: Confidence,
  clause: string,
  spec: Spec = {},
): BoundaryRule {
  return {
    name,
    kind,
    within: spec.within ?? [],
    applies: spec.applies ?? ['request', 'response'],
    methods: spec.methods ?? [],
    keptInEmergency: spec.keptInEmergency ?? false,
    keptInAnswersTo: spec.keptInAnswersTo ?? [],
    privacyValues: spec.privacyValues ?? [],
    goesWith: spec.goesWith ?? [],
    allBut: spec.allBut ?? [],
    bearing: spec.bearing ?? [],
    in: spec.in ?? 'remove',
    out: spec.out ?? 'remove',
    trustedIn: spec.trustedIn ?? 'keep',
    trustedOut: spec.trustedOut ?? 'keep',
    condition: spec.condition ?? '',
    clause,
    row,
    confidence,
  };
}

export const header = rule.bind(undefined, 'header');
export const uriParam = rule.bind(undefined, 'uri-param');
export const headerParam = rule.bind(undefined, 'header-param');

/** Rows of TS 29.165 Table A.1 that belong to one kind of interconnect only (rulebook §4.5). */
export const ROAMING: ByInterconnect = {
  'non-roaming': 'remove',
  roaming: 'keep',
  loopback: 'keep',
  enterprise: 'remove',
  internet: 'remove',
};
export const NOT_ROAMING: ByInterconnect = {
  'non-roaming': 'keep',
  roaming: 'remove',
  loopback: 'remove',
  enterprise: 'keep',
  internet: 'keep',
};
export const NOT_ON_II_NNI: ByInterconnect = {
  'non-roaming': 'remove',
  roaming: 'keep',
  loopback: 'keep',
  enterprise: 'keep',
  internet: 'keep',
};
export const roamingOnly: Spec = { trustedIn: ROAMING, trustedOut: ROAMING };
export const notRoaming: Spec = { trustedIn: NOT_ROAMING, trustedOut: NOT_ROAMING };
/** Has no place at any external border, trusted or not (rulebook §4.5). */
export const never: Spec = { trustedIn: 'remove', trustedOut: 'remove' };
export const keep: Spec = { in: 'keep', out: 'keep' };
/** Kept as unverified where the privacy mode is not the strict one. */
export const STRICT_REMOVES: ByMode = { strict33203: 'remove', rfc3325: 'keep', ims24229: 'keep' };
export const STRICT_REMOVES_ELSE_ANONYMISED: ByMode = {
  strict33203: 'remove',
  rfc3325: 'anonymise',
  ims24229: 'anonymise',
};

export const AUTHORIZATION = ['authorization', 'proxy-authorization'];
export const CHALLENGE = ['www-authenticate', 'proxy-authenticate', 'authentication-info', 'proxy-authentication-info'];

/** What a user tells of himself and a call can do without. */
export const onUserPrivacy: Spec = {
  in: 'keep',
  out: 'on-privacy',
  privacyValues: ['user'],
  condition: 'Privacy: user',
};

/** A body by which whoever gets it acts. */
export const refusedBody: Spec = {
  within: ['content-type'],
  in: 'reject',
  out: 'flag',
  condition: 'in: 415; within a call only where handling=required, else flagged `body-untrusted`',
};

/** A body that tells of something, and by which nobody acts. */
export const flaggedBody: Spec = {
  within: ['content-type'],
  in: 'flag',
  out: 'keep',
  condition: 'flagged `body-untrusted`; nothing in it is used',
};

/** A parameter that names a handset by its serial number, in a URN (RFC 7254 §4; RFC 8464 §4). */
export const handset: Spec = {
  within: ['contact'],
  bearing: ['urn:gsma:imei', 'urn:device-id:meid'],
  in: 'keep',
  keptInEmergency: true,
  // A registrar tells a phone what the phone has told it (RFC 5626 §6).
  keptInAnswersTo: ['REGISTER'],
  condition: 'only one that names a handset (IMEI, MEID); out: stays in an emergency call',
};

/**
 * What P-Charging-Vector is for between networks: to name the call and the networks (RFC 7315 §4.6). All else in it
 * describes an access network or an element of one, in parameters that each release of TS 24.229 §7.2A.5 adds to.
 */
export const CHARGING_IDENTITY = [
  'icid-value',
  'icid-generated-at',
  'orig-ioi',
  'term-ioi',
  'transit-ioi',
  'related-icid',
  'related-icid-generated-at',
];
