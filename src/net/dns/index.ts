/** The door of this room: DNS messages, answers and resolvers, as values. */

export {
  type AnswersByName,
  answersBy,
  type DnsAnswer,
  type DnsAnswers,
  type DnsQuery,
  type DnsType,
  dnsName,
  type NaptrRecord,
  type SrvRecord,
} from './answer.js';
export { type DnsReply, dnsQuestion, readDnsReply } from './message.js';
export { DNS_PORT, listedResolvers, type ResolverAddress } from './resolver-list.js';
