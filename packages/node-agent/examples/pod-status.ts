import { PodStatus } from "@reddwarf/node-agent"
import { Console, Effect } from "effect"

// What a user sees of a container that failed twice and waits to be started again.
const program = Effect.gen(function*() {
  const status = PodStatus.of(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "default", uid: "7c9e" },
      spec: { restartPolicy: "Always", containers: [{ name: "app", image: "web:1", command: ["/srv/app"] }] }
    },
    {
      zone: "default-web-5kq2",
      sandboxReady: true,
      hostIP: "192.0.2.10",
      podIPs: ["10.88.0.7"],
      state: {
        schema: 1,
        uid: "7c9e",
        containers: [{
          name: "app",
          phase: "backOff",
          attempt: 1,
          backOffMillis: 20_000,
          backOffUntil: 22_000,
          exits: [{
            schema: 1,
            id: "default-web-5kq2/app/1",
            attempt: 1,
            startedAt: 11_000,
            finishedAt: 12_000,
            exitCode: 137,
            signal: 9,
            reason: "Error"
          }]
        }]
      }
    },
    13_000
  )
  const [app] = status.containerStatuses ?? []
  yield* Console.log(`${status.phase}, restarted ${app?.restartCount} times`)
  yield* Console.log(`${app?.state?.waiting?.reason}: ${app?.state?.waiting?.message}`)
  for (const { reason = "-", status: value, type } of status.conditions ?? []) yield* Console.log(`${type} ${value} ${reason}`)
})

await Effect.runPromise(program)
