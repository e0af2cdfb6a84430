/** Which objects need not be on disk before their writers are answered. */
import { Kinds } from "@reddwarf/api-types"
import { prefixOf } from "./internal/keys.js"

/**
 * Prefixes of keys for `writeBehind` of the store: heartbeats of nodes, which are renewed every few seconds and mean nothing after
 * a restart, and Events, which report what happened. Leases elsewhere elect leaders, and stay durable.
 *
 * @category constructors
 */
export const prefixes: ReadonlyArray<string> = [prefixOf(Kinds.lease, "kube-node-lease"), prefixOf(Kinds.event, undefined)]
