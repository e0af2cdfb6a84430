/** Gauges that are computed from what is known when they are asked for. */
import * as Conditions from "../Conditions.js"
import * as Gates from "../Gate.js"
import { type PlanType, ZonePhase } from "../Plan.js"
import type { Sample } from "../PlanMetrics.js"
import type { ZoneInstance } from "../ZoneInstance.js"

const of = ({ metadata: { name = "", namespace = "" } }: ZoneInstance) => ({ namespace, name })

export const active = (instances: ReadonlyArray<ZoneInstance>) =>
  instances.flatMap((instance) => {
    const plan = instance.status?.plan
    return plan?.phase === "Active" ? [{ ...of(instance), type: plan.type }] : []
  })

export const series = (instances: ReadonlyArray<ZoneInstance>, controller: string): ReadonlyArray<Sample> => {
  const samples: Array<Sample> = []
  const plans = new Map<string, { readonly namespace: string; readonly type: PlanType; count: number }>()
  for (const { namespace, type } of active(instances)) {
    const found = plans.get(`${namespace}/${type}`)
    if (found === undefined) plans.set(`${namespace}/${type}`, { namespace, type, count: 1 })
    else found.count += 1
  }
  for (const { count, namespace, type } of plans.values()) {
    samples.push({ name: "reddwarf_plans_active", labels: { controller, namespace, plan_type: type }, value: count })
  }
  for (const instance of instances) {
    const labels = of(instance)
    const status = instance.status ?? {}
    if (status.phase !== undefined) {
      for (const phase of ZonePhase.literals) {
        samples.push({ name: "reddwarf_zone_phase", labels: { ...labels, phase }, value: status.phase === phase ? 1 : 0 })
      }
    }
    for (const { name } of instance.spec.gates ?? []) {
      const condition = Conditions.get(status, Gates.conditionType(name))
      if (condition === undefined) continue
      const value = condition.status === "True" ? 1 : 0
      samples.push(
        name === Gates.sidecar
          ? { name: "reddwarf_sidecar_ready", labels, value }
          : { name: "reddwarf_gate_open", labels: { ...labels, gate: name }, value }
      )
    }
  }
  return samples
}
