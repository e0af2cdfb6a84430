/** Cases of requests and answers: pods are made, read, changed, listed and deleted. */
import { type Load, meter, type Result, run } from "./Load.ts"
import * as Pods from "./Pods.ts"
import type { RawConnection } from "./RawClient.ts"
import type { Server } from "./Server.ts"

const MERGE_PATCH = "application/merge-patch+json"
const NOW = JSON.stringify({ gracePeriodSeconds: 0 })

/** Pods that reads and changes are spread over. */
const SPREAD = 1000

// Enough for the engine to compile what is used; for a few more requests it would not do it better.
const WARM = 2000

const createOne = (namespace: string, name: (n: number) => string) => async (connection: RawConnection, n: number): Promise<void> => {
  Pods.expect(await connection.request("POST", Pods.podsOf(namespace), Pods.pod(name(n))), 201, "create")
}

let warmed = 0

/** Makes pods that are cleared away again; each run of the warm-up needs names of its own. */
const warmCreates = (count: number): Load["warmUp"] => {
  const turn = `w${String(warmed++)}-`
  return { count, operation: createOne(Pods.WARM_UP, (n) => `${turn}${String(n)}`) }
}

/** Creates of pods `first`, `first + 1`, ... of the common namespace. */
export const creates = (concurrency: number, count: number, first: number, warm = WARM): Load => ({
  name: `create pods, concurrency ${String(concurrency)}`,
  concurrency,
  count,
  operation: createOne(Pods.NAMESPACE, (n) => `pod-${String(first + n)}`),
  warmUp: warmCreates(warm)
})

export const create = (concurrency: number, count: number) => async (server: Server): Promise<Result> => {
  const first = Pods.made(server, Pods.NAMESPACE)
  const result = await run(server, creates(concurrency, count, first, concurrency === 1 ? Math.min(WARM, 2 * count) : WARM))
  Pods.note(server, Pods.NAMESPACE, first + result.operations)
  await Pods.clear(server, Pods.WARM_UP)
  return result
}

/** A case over the first thousand pods, which does not change what the next case finds. */
const over = (name: string, operation: (connection: RawConnection, pod: string, n: number) => Promise<void>) =>
(concurrency: number, count: number) =>
async (server: Server): Promise<Result> => {
  await Pods.ensure(server, Pods.NAMESPACE, SPREAD)
  const one = (connection: RawConnection, n: number) => operation(connection, `pod-${String(n % SPREAD)}`, n)
  const warm = Math.min(WARM, count)
  return run(server, {
    name: `${name}, concurrency ${String(concurrency)}`,
    concurrency,
    count,
    operation: (connection, n) => one(connection, warm + n),
    warmUp: { count: warm, operation: one }
  })
}

export const get = over("get pod", async (connection, name) => {
  Pods.expect(await connection.request("GET", `${Pods.PODS}/${name}`), 200, "get")
})

export const patch = over("merge-patch pod", async (connection, name, n) => {
  const body = `{"metadata":{"annotations":{"example.com/n":"${String(n)}"}}}`
  Pods.expect(await connection.request("PATCH", `${Pods.PODS}/${name}`, body, MERGE_PATCH), 200, "patch")
})

export const status = over("put pod status", async (connection, name, n) => {
  const address = `10.${String((n >> 16) & 255)}.${String((n >> 8) & 255)}.${String(n & 255)}`
  Pods.expect(await connection.request("PUT", `${Pods.PODS}/${name}/status`, Pods.podWithStatus(name, address)), 200, "put status")
})

const deleteOne = (namespace: string) => async (connection: RawConnection, n: number): Promise<void> => {
  Pods.expect(await connection.request("DELETE", `${Pods.podsOf(namespace)}/pod-${String(n)}`, NOW), 200, "delete")
}

export const remove = (concurrency: number, count: number) => async (server: Server): Promise<Result> => {
  const warm = Math.min(WARM, count)
  await Pods.ensure(server, Pods.NAMESPACE, count)
  await Pods.ensure(server, Pods.WARM_UP, warm)
  const result = await run(server, {
    name: `delete pods, concurrency ${String(concurrency)}`,
    concurrency,
    count,
    operation: deleteOne(Pods.NAMESPACE),
    warmUp: { count: warm, operation: deleteOne(Pods.WARM_UP) }
  })
  for (const namespace of [Pods.NAMESPACE, Pods.WARM_UP]) await Pods.clear(server, namespace)
  return result
}

/** Pods of a collection in one request; the figures are for one pod. */
export const removeCollection = (count: number) => async (server: Server): Promise<Result> => {
  await Pods.ensure(server, Pods.WARM_UP, Math.min(WARM, count))
  await Pods.clear(server, Pods.WARM_UP)
  await Pods.ensure(server, Pods.COLLECTION, count)
  const measured = meter(server)
  await Pods.clear(server, Pods.COLLECTION)
  return measured.result(`deletecollection of ${String(count)} pods`, count, [], `${measured.seconds().toFixed(2)} s in all`)
}

/** Lists of a whole namespace, with the time until the last byte. */
export const list = (pods: number, count: number) => async (server: Server): Promise<Result> => {
  // The collection is what it is for 5,000; other lists are of the common namespace as the cases before left it.
  const namespace = pods === 0 ? Pods.NAMESPACE : Pods.COLLECTION
  await Pods.ensure(server, namespace, pods === 0 ? SPREAD : pods)
  let bytes = 0
  const operation = async (connection: RawConnection): Promise<void> => {
    const answer = await connection.request("GET", Pods.podsOf(namespace))
    Pods.expect(answer, 200, "list")
    bytes = answer.body.length
  }
  const result = await run(server, {
    name: `list ${String(Pods.made(server, namespace))} pods`,
    concurrency: 1,
    count,
    operation,
    warmUp: { count: 2, operation }
  })
  return { ...result, note: `${(bytes / 1e6).toFixed(1)} MB each` }
}
