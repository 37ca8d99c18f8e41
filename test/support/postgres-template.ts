import { PostgresCluster, TEMPLATE } from './postgres-cluster.js';

/** Of vitest, before the first file: one initdb for all clusters of the run. */
export default async function setup(): Promise<(() => void) | undefined> {
  const template = await PostgresCluster.template();
  if (template === undefined) return undefined;
  process.env[TEMPLATE] = template.data;
  return template.remove;
}
