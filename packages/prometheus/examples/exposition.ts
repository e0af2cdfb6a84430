import { Exposition } from "@reddwarf/prometheus"
import { Console, Effect } from "effect"

const text = Exposition.document([
  { name: "demo_zones", type: "gauge", help: "Zones of the host, by state", samples: [{ labels: { state: "running" }, value: 12 }] },
  {
    name: "demo_boot_seconds",
    type: "histogram",
    help: "How long zones take to boot",
    samples: Exposition.histogram({ brand: "sparse" }, [[0.5, 9], [2, 11]], 7.25, 12)
  }
])

await Effect.runPromise(Console.log(text))
