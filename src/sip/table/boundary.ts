/**
 * The header policy `ims-boundary@1`: what may cross the edge of the trust domain, row by row.
 *
 * Columns: towards an untrusted peer (`in`, `out`), and towards a trusted one (`trustedIn`, `trustedOut`, by type of
 * interconnect). Rows that say nothing of a direction remove there when the peer is untrusted and keep when it is
 * trusted. Adding a header is adding a row; strip lists, triggers and the printed table follow from it.
 */

import {
  AUTHORIZATION,
  CHALLENGE,
  CHARGING_IDENTITY,
  flaggedBody,
  handset,
  header,
  headerParam,
  keep,
  NOT_ON_II_NNI,
  never,
  notRoaming,
  onUserPrivacy,
  ROAMING,
  refusedBody,
  roamingOnly,
  rule,
  STRICT_REMOVES,
  STRICT_REMOVES_ELSE_ANONYMISED,
  URI_FIELDS,
  uriParam,
} from './row.js';
import type { BoundaryRule } from './rules.js';

export const HEADER_POLICY = 'ims-boundary@1';

/** All rows, in the order of the rulebook's tables. */
export const BOUNDARY_RULES: readonly BoundaryRule[] = [
  // TS 24.229 §4.4: the header fields that have a trust domain.
  header('1', 'P-Asserted-Identity', 'V', 'TS 24.229 §4.4.2; RFC 3325 §5, §7; RFC 5876 §4', {
    out: { strict33203: 'remove', rfc3325: 'by-privacy', ims24229: 'by-privacy' },
    trustedIn: 'screen',
    condition: 'out: by mode and Privacy (§5.5); in from trusted: screened against the agreement (§5.6)',
  }),
  header('1a', 'P-Asserted-Identity', 'V', 'RFC 5876 §4.1', {
    ...never,
    methods: ['ACK', 'CANCEL'],
    applies: ['request'],
    condition: 'no identity in ACK and CANCEL, trusted or not',
  }),
  header('2', 'P-Access-Network-Info', 'V', 'TS 24.229 §4.4.3; RFC 7315 §4.4, §6.4'),
  header('3', 'History-Info', 'V', 'TS 24.229 §4.4.4; RFC 7044 §10.1', {
    in: STRICT_REMOVES,
    out: STRICT_REMOVES_ELSE_ANONYMISED,
    condition: 'out: entries of our own domains are anonymised where asked for',
  }),
  rule('option-tag', '3a', 'histinfo', 'D', 'RFC 7044 §10.1', {
    within: ['require', 'proxy-require'],
    goesWith: ['history-info'],
    condition: 'only where History-Info was removed',
  }),
  header('4', 'P-Asserted-Service', 'V', 'TS 24.229 §4.4.5; RFC 6050 §4.2'),
  header('5', 'Resource-Priority', 'V2', 'TS 24.229 §4.4.6; RFC 4412 §11'),
  header('5', 'Accept-Resource-Priority', 'V2', 'TS 24.229 §4.4.6; RFC 4412 §11'),
  rule('option-tag', '5a', 'resource-priority', 'V2', 'RFC 4412 §3.1', {
    within: ['require', 'proxy-require'],
    goesWith: ['resource-priority'],
    condition: 'only where Resource-Priority was removed',
  }),
  header('6', 'Reason', 'V2', 'TS 24.229 §4.4.7; TS 29.165 Table A.1', {
    applies: ['response'],
    in: 'keep',
    condition: 'in a response; in a request it stays',
  }),
  header('7', 'P-Profile-Key', 'V2', 'TS 24.229 §4.4.8; RFC 5002', roamingOnly),
  header('8', 'P-Served-User', 'V', 'TS 24.229 §4.4.9; RFC 5502 §6', roamingOnly),
  header('9', 'P-Private-Network-Indication', 'V', 'TS 24.229 §4.4.10; RFC 7316 §6', {
    trustedIn: 'screen',
    condition: 'in from trusted: its domain must be one of the agreement',
  }),
  header('10', 'P-Early-Media', 'V', 'TS 24.229 §4.4.11; RFC 5009 §6, §8.3'),
  uriParam('11', 'cpc', 'V2', 'TS 24.229 §4.4.12, §7.2A.12'),
  uriParam('11', 'oli', 'V2', 'TS 24.229 §4.4.12, §7.2A.12'),
  uriParam('11', 'isup-oli', 'D', 'TS 24.229 §4.4.12 (as `oli`)'),
  header('12', 'Feature-Caps', 'V2', 'TS 24.229 §4.4.13; RFC 6809 §9', {
    out: { strict33203: 'remove', rfc3325: 'remove', ims24229: 'keep' },
  }),
  rule('value', '13', 'psap-callback', 'V', 'TS 24.229 §4.4.14; RFC 7090 §5', {
    within: ['priority'],
    condition: 'that value alone; other values of Priority stay',
  }),
  uriParam('14', 'iotl', 'V', 'TS 24.229 §4.4.15; RFC 7549 §7'),
  header('15', 'Restoration-Info', 'V2', 'TS 24.229 §4.4.16', roamingOnly),
  header('16', 'Relayed-Charge', 'V', 'TS 24.229 §4.4.17; TS 29.165 Table A.1', never),
  header('17', 'Service-Interact-Info', 'V2', 'TS 24.229 §4.4.18'),
  header('18', 'Cellular-Network-Info', 'V2', 'TS 24.229 §4.4.19'),
  header('19', 'Response-Source', 'V2', 'TS 24.229 §4.4.20'),
  header('20', 'Attestation-Info', 'V', 'TS 24.229 §4.4.21; TS 29.165 Table A.1', notRoaming),
  header('20', 'P-Attestation-Indicator', 'D', 'TS 24.229 §4.4.21 (vendor twin)', notRoaming),
  header('20', 'X-Attestation-Info', 'D', 'TS 24.229 §4.4.21 (vendor twin)', notRoaming),
  header('21', 'Origination-Id', 'V', 'TS 24.229 §4.4.22; TS 29.165 Table A.1', notRoaming),
  header('21', 'P-Origination-ID', 'D', 'TS 24.229 §4.4.22 (vendor twin)', notRoaming),
  header('22', 'Additional-Identity', 'V', 'TS 24.229 §4.4.23', {
    trustedIn: 'screen',
    condition: 'in from trusted: screened as P-Asserted-Identity is',
  }),
  header('23', 'Priority-Verstat', 'V2', 'TS 24.229 §4.4.1, §7.2.21'),
  header('23a', 'DC-Info', 'V2', 'TS 24.229 §4.4.1'),

  // Other IMS and P- header fields.
  header('24', 'P-Charging-Vector', 'V', 'RFC 7315 §4.6.1'),
  headerParam('24a', 'charging-detail', 'V2', 'TS 24.229 §5.10.2, §7.2A.5', {
    within: ['p-charging-vector'],
    allBut: CHARGING_IDENTITY,
    trustedIn: NOT_ON_II_NNI,
    trustedOut: NOT_ON_II_NNI,
    condition: 'every parameter but icid and ioi',
  }),
  header('25', 'P-Charging-Function-Addresses', 'V', 'RFC 7315 §4.5', never),
  header('26', 'P-Visited-Network-ID', 'V', 'RFC 7315 §4.3.2', roamingOnly),
  header('27', 'P-User-Database', 'V', 'RFC 4457; TS 29.165 Table A.1', never),
  header('28', 'P-Called-Party-ID', 'V', 'RFC 7315 §4.2; TS 29.165 Table A.1', roamingOnly),
  header('29', 'P-Associated-URI', 'V', 'RFC 7315 §4.1; TS 29.165 Table A.1', roamingOnly),
  header('30', 'P-Preferred-Identity', 'V', 'RFC 3325 §6', never),
  header('31', 'P-Preferred-Service', 'V', 'RFC 6050 §4.1; TS 29.165 Table A.1', roamingOnly),
  header('32', 'P-Media-Authorization', 'V', 'RFC 3313 §6', never),
  header('33', 'P-DCS-Trace-Party-ID', 'V', 'RFC 5503 §5'),
  header('34', 'P-DCS-OSPS', 'V', 'RFC 5503 §6.6', {
    in: 'reject',
    condition: 'in: 403 for BLV and EI (operator break-in), else removed',
  }),
  header('35', 'P-DCS-Billing-Info', 'V', 'RFC 5503 §7.6'),
  header('36', 'P-DCS-LAES', 'V', 'RFC 5503 §8.6'),
  header('36', 'P-DCS-Redirect', 'V', 'RFC 5503 §8.6'),
  header('37', 'P-Charge-Info', 'V', 'RFC 8496 §8.2', {
    trustedIn: 'screen',
    condition: 'in from trusted: who pays is screened as P-Asserted-Identity is',
  }),
  header('38', 'P-Refused-URI-List', 'V', 'RFC 5318; TS 29.165 Table A.1', notRoaming),
  header('39', 'P-Answer-State', 'V', 'RFC 4964'),
  header('40', 'Priority-Share', 'V', 'TS 24.229 §7.2.16; TS 29.165 Table A.1', roamingOnly),
  header('40', 'Resource-Share', 'V', 'TS 24.229 §7.2.13; TS 29.165 Table A.1', roamingOnly),
  header('41', 'Security-Client', 'V', 'RFC 3329; TS 29.165 Table A.1', never),
  header('41', 'Security-Server', 'V', 'RFC 3329; TS 29.165 Table A.1', never),
  header('41', 'Security-Verify', 'V', 'RFC 3329; TS 29.165 Table A.1', never),
  rule('option-tag', '41a', 'sec-agree', 'V', 'RFC 3329 §2.6', {
    ...never,
    within: ['require', 'proxy-require'],
    goesWith: ['security-client', 'security-server', 'security-verify'],
    condition: 'only where the Security- header fields were removed',
  }),
  headerParam('42', 'integrity-protected', 'V2', 'TS 24.229 §7.2A.2', {
    within: AUTHORIZATION,
    ...roamingOnly,
    condition: 'a forged one passes for a successful authentication',
  }),
  ...['ik', 'ck'].map((name) =>
    headerParam('42', name, 'V2', 'TS 24.229 §5.2.2, §7.2A.1', {
      within: CHALLENGE,
      ...roamingOnly,
      condition: 'a key: the S-CSCF tells it to the P-CSCF, which may be a visited network’s',
    }),
  ),
  ...['Authorization', 'Proxy-Authorization', 'WWW-Authenticate', 'Proxy-Authenticate'].map((name) =>
    header('42a', name, 'V', 'TS 29.165 Table A.1', { ...keep, trustedIn: NOT_ON_II_NNI, trustedOut: NOT_ON_II_NNI }),
  ),
  header('43', 'Path', 'V', 'RFC 3327; TS 29.165 Table A.1', roamingOnly),
  header('43', 'Service-Route', 'V', 'RFC 3608; TS 29.165 Table A.1', roamingOnly),
  header('43', 'Flow-Timer', 'V', 'RFC 5626; TS 29.165 Table A.1', roamingOnly),
  rule('option-tag', '43a', 'path', 'D', 'RFC 3327 §5.2', {
    ...roamingOnly,
    within: ['require', 'proxy-require'],
    goesWith: ['path'],
    condition: 'only where Path was removed',
  }),
  uriParam('44', 'orig', 'V2', 'TS 24.229 §5.4.3.1, §7.2A.6', {
    trustedIn: ROAMING,
    condition:
      'starts originating services of whoever is asserted: toll fraud; from a partner that hosts services of ours: override `orig: {in: keep}`',
  }),
  uriParam('45', 'sos', 'M', 'TS 24.229 §7.2A.13', keep),
  uriParam('46', 'tokenized-by', 'M', 'TS 24.229 §7.2A', keep),
  uriParam('47', 'verstat', 'V', 'TS 24.229 §7.2A.20; TS 29.165 §29', {
    trustedIn: ROAMING,
    condition: 'from a trusted peer that may verify: override `verstat: {in: keep}`',
  }),
  ...['premium-rate', 'isub', 'phone-context'].map((name) =>
    uriParam('48', name, 'V', 'RFC 3966; TS 29.165 §8.1', keep),
  ),
  // What networks that trust each other say of the way of a call: from others it chooses the way, and who pays.
  ...['rn', 'rn-context', 'cic', 'cic-context', 'npdi'].map((name) =>
    uriParam('48a', name, 'V', 'RFC 4694 §7; TS 29.165 §8.1', {
      out: 'keep',
      condition: 'another look-up finds it again',
    }),
  ),
  uriParam('48a', 'enumdi', 'V', 'RFC 4759 §6', { out: 'keep', condition: 'another look-up finds it again' }),
  ...['tgrp', 'trunk-context'].map((name) => uriParam('48b', name, 'V', 'RFC 4904 §8', { out: 'keep' })),
  ...['dtg', 'otg'].map((name) => uriParam('48b', name, 'D', 'as `tgrp` (Cisco, Sonus and others)', { out: 'keep' })),

  // General SIP header fields with a bearing on privacy or trust.
  header('49', 'From', 'V', 'RFC 3323 §4.1; TS 29.165 §12.3', {
    ...keep,
    trustedIn: 'screen',
    condition:
      'in from trusted, outside a dialog: one of our own domains is refused (§5.6 S-2), a foreign one flagged (S-7)',
  }),
  header('50', 'To', 'V', 'RFC 3261 §20.39', keep),
  header('51', 'Privacy', 'V', 'RFC 3323 §4.2; TS 24.229 §4.4.2', {
    ...keep,
    condition: 'out: executed values are taken off (§5.2); `id` and `none` stay',
  }),
  header('52', 'Identity', 'V', 'RFC 8224 §11', {
    ...keep,
    trustedIn: { 'non-roaming': 'keep', roaming: 'flag', loopback: 'flag', enterprise: 'keep', internet: 'keep' },
    trustedOut: { 'non-roaming': 'keep', roaming: 'flag', loopback: 'flag', enterprise: 'keep', internet: 'keep' },
    condition: 'never removed because of Privacy',
  }),
  header('53', 'Diversion', 'V', 'RFC 5806; RFC 7544 §3.2', {
    in: STRICT_REMOVES,
    out: STRICT_REMOVES_ELSE_ANONYMISED,
    condition: 'out: entries with privacy=full|uri|name, all entries under Privacy: header',
  }),
  header('53', 'CC-Diversion', 'M', 'draft-levy-sip-diversion-02 (older name of Diversion)'),
  header('53', 'CC-Redirect', 'V2', 'as CC-Diversion (Cisco equipment)'),
  header('54', 'Remote-Party-ID', 'M', 'draft-ietf-sip-privacy-04', {
    trustedIn: 'screen',
    condition: 'the twin of P-Asserted-Identity; in from trusted: screened alike',
  }),
  header('54', 'RPID-Privacy', 'M', 'draft-ietf-sip-privacy-04'),
  rule('option-tag', '54a', 'privacy', 'V', 'RFC 3323 §5', {
    ...never,
    within: ['proxy-require'],
    goesWith: ['privacy', 'rpid-privacy', 'remote-party-id'],
    condition: 'only where no Privacy header field is left of what asked for it',
  }),
  rule('value', '55', 'card', 'D', 'RFC 9796; RFC 3261 §20.9', {
    within: ['call-info'],
    out: 'keep',
    condition: 'Call-Info with this purpose',
  }),
  rule('value', '55', 'jcard', 'D', 'RFC 9796; RFC 3261 §20.9', {
    within: ['call-info'],
    out: 'keep',
    condition: 'Call-Info with this purpose',
  }),
  // It says where the data of an emergency call is: who calls, what a vehicle has measured.
  header('55', 'Call-Info', 'V', 'RFC 3323 §5.3; RFC 7852 §5', {
    in: 'keep',
    out: 'on-privacy',
    privacyValues: ['user', 'header'],
    keptInEmergency: true,
    condition: 'Privacy: user or header; out: stays in an emergency call',
  }),
  header('55', 'Alert-Info', 'V', 'RFC 3323 §5.3; RFC 3261 §20.4', {
    applies: ['request'],
    out: 'on-privacy',
    privacyValues: ['user', 'header'],
    condition: 'in: by it phones answer, and whoever calls listens; out: Privacy: user or header',
  }),
  header('55', 'Alert-Info', 'V', 'RFC 3323 §5.3', {
    applies: ['response'],
    in: 'keep',
    out: 'on-privacy',
    privacyValues: ['user', 'header'],
    condition: 'Privacy: user or header',
  }),
  header('55', 'Error-Info', 'V', 'RFC 3323 §5.3', {
    in: 'keep',
    out: 'on-privacy',
    privacyValues: ['user', 'header'],
    condition: 'Privacy: user or header',
  }),
  ...['Answer-Mode', 'Priv-Answer-Mode'].map((name) =>
    header('55a', name, 'M', 'RFC 5373', {
      applies: ['request'],
      out: 'keep',
      condition: 'by it phones answer, and whoever calls listens',
    }),
  ),
  rule('option-tag', '55a', 'answermode', 'M', 'RFC 5373', {
    within: ['require', 'proxy-require'],
    goesWith: ['answer-mode', 'priv-answer-mode'],
    out: 'keep',
    condition: 'only where Answer-Mode or Priv-Answer-Mode was removed',
  }),
  headerParam('55a', 'answer-after', 'D', 'as Answer-Mode (Snom and others)', {
    within: ['call-info'],
    out: 'keep',
    condition: 'by it phones answer, and whoever calls listens',
  }),
  ...['Subject', 'Organization', 'User-Agent', 'Reply-To', 'In-Reply-To'].map((name) =>
    header('56', name, 'V', 'RFC 3323 §5.3', onUserPrivacy),
  ),
  ...['Server', 'Warning'].map((name) =>
    header('56', name, 'V', 'RFC 3323 §4.1, §5.3; RFC 5379 §5.1.12, §5.1.16', onUserPrivacy),
  ),
  header('56', 'Referred-By', 'V', 'RFC 5379 §5.1.10; RFC 3892', onUserPrivacy),
  ...['Contact', 'Via', 'Record-Route', 'Route'].map((name) =>
    header('57', name, 'V', 'RFC 3323 §5.1', { ...keep, condition: 'Privacy: header needs a B2BUA' }),
  ),
  rule('uri-headers', '57a', 'embedded header fields', 'V', 'RFC 3261 §19.1.5; RFC 4475 §3.1.2.11', {
    within: [...URI_FIELDS],
    condition: 'but Replaces in Refer-To and Referred-By, Reason and Privacy in History-Info; in the Request-URI: all',
  }),
  ...['Geolocation', 'Geolocation-Routing'].map((name) =>
    header('58', name, 'V', 'RFC 6442 §6; RFC 8787', {
      in: 'keep',
      keptInEmergency: true,
      condition: 'out: stays in an emergency call',
    }),
  ),
  headerParam('58a', 'loc-src', 'V', 'RFC 8787 §3, §4', {
    within: ['geolocation'],
    condition: 'who says where somebody is; in emergency calls, too',
  }),
  header('59', 'User-to-User', 'V', 'RFC 7433 §7', keep),
  ...['Refer-To', 'Replaces', 'Join', 'Target-Dialog'].map((name) =>
    header('60', name, 'V', 'RFC 3515; RFC 3892; RFC 3891', keep),
  ),
  header('61', 'Session-ID', 'V', 'RFC 7989', keep),
  headerParam('61', 'logme', 'M', 'RFC 8497 §8.2', {
    within: ['session-id'],
    condition: 'asks all on the way to log the call',
  }),
  header('62', 'Reason', 'V', 'RFC 3326', { ...keep, applies: ['request'] }),
  ...['P-SR-XBranch', 'P-SR-XUID'].map((name) =>
    header('63', name, 'D', 'module topos of Kamailio', {
      ...keep,
      condition:
        'Kamailio knows messages again by these, and takes them off behind all gates; lists for OpenSIPS remove them',
    }),
  ),
  header('63', 'P-Hint', 'D', 'kamailio.cfg of Kamailio', {
    out: 'keep',
    condition: 'out: sample scripts say in it which of their routes a call took; lists for OpenSIPS remove it',
  }),
  header('63', 'P-*', 'D', 'RFC 5727 §4; default deny'),
  header('63', 'X-*', 'D', 'RFC 6648; default deny'),
  headerParam('64', '+sip.instance', 'V', 'RFC 7255 §5, §6, §8; RFC 8465 §5, §6, §9', {
    ...handset,
    within: ['contact', 'accept-contact', 'reject-contact'],
  }),
  // What a registrar makes of it that puts it into the address of the device as it is, and where that address is passed on:
  // a transfer to the device, a registered contact that a call was sent to (RFC 7044).
  headerParam('64', 'pub-gruu', 'D', 'RFC 5627 §5.4; as `+sip.instance`', handset),
  headerParam('64', 'gr', 'D', 'RFC 5627 §5.4; as `+sip.instance`', {
    ...handset,
    within: ['contact', 'refer-to', 'history-info'],
  }),
  ...['pn-provider', 'pn-param', 'pn-prid'].map((name) =>
    headerParam('65', name, 'V', 'RFC 8599 §4.1, §13', {
      within: ['contact', 'history-info'],
      in: 'keep',
      condition: 'where a device gets its push notifications; pn-purr stays',
    }),
  ),

  // Bodies: never edited by a proxy.
  rule('body', 'B-2', 'application/vnd.3gpp.sms', 'D', 'TS 24.341 §5.3.2; RFC 5621 §8', {
    within: ['content-type'],
    methods: ['MESSAGE'],
    in: 'reject',
    out: 'flag',
    condition: 'in: 415, whatever Content-Disposition says: phones and SMS centres go by the type alone',
  }),
  ...['application/3gpp-ims+xml', 'application/vnd.3gpp.*', 'application/vnd.etsi.mcid+xml'].map((name) =>
    rule('body', 'B-2', name, 'D', 'TS 29.165 Table 6.1.4.1; RFC 5621 §8', refusedBody),
  ),
  ...['application/isup', 'application/qsig'].map((name) =>
    rule('body', 'B-2', name, 'D', 'RFC 3204 §3; RFC 5621 §8', refusedBody),
  ),
  rule('body', 'B-2', 'application/gtd', 'D', 'as `application/isup` (Cisco)', refusedBody),
  ...['message/sip', 'message/sipfrag'].map((name) =>
    rule('body', 'B-3', name, 'D', 'RFC 3261 §27.5; RFC 3420; RFC 5621 §3', flaggedBody),
  ),
  rule('body', 'B-3', 'multipart/*', 'D', 'RFC 5621 §3', {
    ...flaggedBody,
    condition:
      'flagged `body-untrusted`; no part is of a type that is refused: in place of it stands `application/x-untrusted` (Kamailio), or the SDP alone goes on (OpenSIPS)',
  }),
];
