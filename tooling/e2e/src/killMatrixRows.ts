/** What is killed when, one row after the other, and what must be so afterwards. Each row begins and ends with an empty node. */
import type { KillNode } from "./killMatrixNode.js"
import * as pods from "./killMatrixPods.js"
import { waitFor } from "./waitFor.js"

export interface Row {
  readonly name: string
  readonly run: (node: KillNode) => Promise<void>
}

const wait = (millis: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, millis) })

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Ends what a row has made. */
const clear = async (node: KillNode, ...names: ReadonlyArray<string>): Promise<void> => {
  for (const name of names) await pods.deletePod(node, name)
  for (const name of names) await pods.untilGone(node, name)
  await pods.untilAgreed(node)
}

const steady = async (node: KillNode, name: string): Promise<pods.Life> => {
  await pods.createPod(node, name, pods.counting)
  return pods.lifeOf(node, await pods.untilReady(node, name))
}

const assertLines = async (node: KillNode, name: string): Promise<void> => {
  if (pods.checkLines(name, await pods.logOf(node, name)) === 0) throw new Error(`${name} has no log`)
}

/** Agent killed, time passes, agent started. */
const away = async (node: KillNode, meanwhile: () => Promise<void>): Promise<void> => {
  await node.agent.kill()
  await meanwhile()
  node.agent.start()
}

export const rows: ReadonlyArray<Row> = [
  {
    name: "idle with running zones",
    run: async (node) => {
      const life = await steady(node, "idle")
      const before = node.host()
      await away(node, () => wait(1_000))
      await pods.checkLife(node, life)
      const after = node.host()
      if (JSON.stringify([...after.zones, after.links, after.datasets, after.addresses]) !== JSON.stringify([...before.zones, before.links, before.datasets, before.addresses])) {
        throw new Error("the host has changed")
      }
      await assertLines(node, "idle")
      await clear(node, "idle")
    }
  },
  {
    name: "a container exits while the agent is down",
    run: async (node) => {
      await pods.createPod(node, "ends", "sleep 4; exit 7", { restartPolicy: "Never" })
      await pods.createPod(node, "again", "sleep 4; exit 9", { restartPolicy: "OnFailure" })
      const ends = await pods.untilReady(node, "ends")
      const again = await pods.untilReady(node, "again")
      let endedAt = 0
      await away(node, async () => {
        await waitFor("the container to end", () => node.containers(pods.uidOf(ends))[0]?.exits[0]?.exitCode === 7 ? true : undefined, { seconds: 20 })
        endedAt = performance.timeOrigin + performance.now()
        await waitFor("the other one to end", () => node.containers(pods.uidOf(again))[0]?.exits.length === 1 ? true : undefined, { seconds: 20 })
        await wait(1_500)
      })
      const terminated = await waitFor("the exit code in the API", async () => (await pods.readPod(node, "ends")).status?.containerStatuses?.[0]?.state?.terminated, { seen: node.logs })
      const late = Math.abs((terminated.finishedAt?.getTime() ?? 0) - endedAt)
      if (terminated.exitCode !== 7 || late > 2_500) throw new Error(`ended with ${String(terminated.exitCode)}, told ${String(late)} ms beside the time`)
      await waitFor("one restart", async () => (await pods.readPod(node, "again")).status?.containerStatuses?.[0]?.restartCount === 1 ? true : undefined, { seconds: 40, seen: node.logs })
      await pods.deletePod(node, "ends")
      await pods.untilGone(node, "ends")
      await clear(node, "again")
    }
  },
  {
    name: "a container writes 100 MB while the agent is down",
    run: async (node) => {
      // A hundred thousand lines of a thousand characters; five files of 10 MiB are kept of it.
      await pods.createPod(node, "loud", "sleep 3; head -c 100000000 /dev/zero | tr '\\0' 'x' | fold -w 999 | nl -v 0 -w 1 -s ' '; echo done; while :; do sleep 1; done")
      await pods.untilReady(node, "loud")
      await away(node, () => wait(8_000))
      const tail = await waitFor("the last line", async () => {
        const log = await pods.logOf(node, "loud")
        return log.trimEnd().endsWith("done") ? log : undefined
      }, { seconds: 60, everyMillis: 1_000 })
      const numbers = tail.split("\n").map((line) => /^(\d+) x/.exec(line)?.[1]).filter((text) => text !== undefined).map(Number)
      numbers.forEach((number, at) => {
        if (at > 0 && number !== (numbers[at - 1] ?? 0) + 1) throw new Error(`line ${String(number)} follows ${String(numbers[at - 1])}`)
      })
      if (numbers.at(-1) !== 100_100) throw new Error(`the last line is ${String(numbers.at(-1))}`)
      await clear(node, "loud")
    }
  },
  {
    name: "a graceful stop is in progress",
    run: async (node) => {
      await pods.createPod(node, "stubborn", "trap '' TERM; while :; do sleep 1; done", { graceSeconds: 6 })
      await pods.untilReady(node, "stubborn")
      const deletedAt = performance.now()
      await pods.deletePod(node, "stubborn")
      await wait(1_500)
      await away(node, () => wait(2_000))
      await pods.untilGone(node, "stubborn", 60)
      const took = (performance.now() - deletedAt) / 1000
      if (took < 5 || took > 25) throw new Error(`ended after ${took.toFixed(1)} s with a grace of 6 s`)
      await pods.untilAgreed(node)
    }
  },
  {
    name: "pods are deleted and created while the agent is down",
    run: async (node) => {
      await steady(node, "old")
      const kept = await steady(node, "kept")
      await away(node, async () => {
        await pods.deletePod(node, "old")
        await pods.createPod(node, "new", pods.counting)
      })
      await pods.untilGone(node, "old")
      await pods.untilReady(node, "new")
      await pods.checkLife(node, kept)
      await pods.untilAgreed(node)
      await clear(node, "new", "kept")
    }
  },
  {
    name: "the API server is killed too",
    run: async (node) => {
      const life = await steady(node, "alone")
      const before = JSON.stringify([...node.host().zones])
      await node.server.kill()
      await away(node, () => wait(500))
      // Long enough for several looks at everything.
      await wait(8_000)
      if (JSON.stringify([...node.host().zones]) !== before) throw new Error("a zone was touched without the API")
      node.server.start()
      await waitFor("the server", async () => {
        try {
          await node.api.listNamespace()
          return true
        } catch {
          return undefined
        }
      }, { seconds: 60, seen: node.logs })
      await pods.checkLife(node, life)
      await assertLines(node, "alone")
      await clear(node, "alone")
    }
  },
  {
    name: "the supervisor is killed",
    run: async (node) => {
      const life = await steady(node, "watched")
      const pid = node.supervisorPid()
      process.kill(pid, "SIGKILL")
      await waitFor("another supervisor", () => node.supervisorPid() === pid ? undefined : true, { seconds: 30, seen: node.logs })
      await pods.checkLife(node, life)
      await assertLines(node, "watched")
      await clear(node, "watched")
    }
  },
  {
    name: "agent and supervisor are killed",
    run: async (node) => {
      const life = await steady(node, "both")
      const pid = node.supervisorPid()
      await away(node, async () => {
        process.kill(pid, "SIGKILL")
        await waitFor("the end of the supervisor", () => isAlive(pid) ? undefined : true)
      })
      await waitFor("another supervisor", () => node.supervisorPid() === pid ? undefined : true, { seconds: 30, seen: node.logs })
      await pods.checkLife(node, life)
      await assertLines(node, "both")
      await clear(node, "both")
    }
  },
  {
    name: "an orderly end of the agent leaves everything running",
    run: async (node) => {
      const life = await steady(node, "orderly")
      const code = await node.agent.stop()
      if (code !== 0) throw new Error(`the agent ended with ${String(code)}`)
      if (node.host().zones.get(life.zone) !== life.boot) throw new Error("the zone ended with its agent")
      node.agent.start()
      await pods.checkLife(node, life)
      await assertLines(node, "orderly")
      await clear(node, "orderly")
    }
  },
  {
    name: "the host goes down with 50 pods",
    run: async (node) => {
      const names = Array.from({ length: 50 }, (_, at) => `host-${String(at)}`)
      await Promise.all(names.map((name) => pods.createPod(node, name, "while :; do sleep 5; done", { graceSeconds: 1 })))
      for (const name of names) await pods.untilReady(node, name, 240)
      const before = node.host().zones
      await node.agent.kill()
      process.kill(node.supervisorPid(), "SIGKILL")
      await node.rebootHost()
      node.agent.start()
      await waitFor("every zone to be booted again", () => {
        const now = node.host().zones
        return now.size === before.size && [...now].every(([zone, state]) => state.startsWith("running ") && state !== before.get(zone)) ? true : undefined
      }, { seconds: 240, everyMillis: 500, seen: node.logs })
      await pods.untilAgreed(node, 240)
      await Promise.all(names.map((name) => pods.deletePod(node, name)))
      for (const name of names) await pods.untilGone(node, name, 240)
      await pods.untilAgreed(node, 240)
    }
  }
]
