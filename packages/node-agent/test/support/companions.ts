/** Companion services that tests install. */
import type { Companion } from "@reddwarf/node-agent"

/** Whose they are. */
export const owner = { clusterId: "cluster-1" }

/** The health service of a node, but for these changes. */
export const companion = (changes: Partial<Companion.Companion> = {}): Companion.Companion => ({
  name: "node-health",
  scope: "node",
  template: { description: "health of the node", command: ["/usr/bin/node", "/opt/agent.js", "node-health", "--node-name", "it's 100% n1"] },
  restartOnChange: true,
  critical: true,
  ...changes
})

/** No pod. */
export const none: ReadonlySet<string> = new Set()
