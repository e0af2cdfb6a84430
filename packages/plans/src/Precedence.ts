/** Which plan repairs what: one table, and the choice by cover. Pure. */
import type { DriftKind } from "./Drift.js"
import type { PlanType, ZonePhase } from "./Plan.js"
import type { TaskType } from "./PlanTask.js"

/** What a task of a plan that goes on past failures waits for. @category models */
export interface TaskNeeds {
  /** These must be Complete: where one of them failed, the task is not tried. */
  readonly complete?: ReadonlyArray<TaskType>
  /** These must be over, however they ended. */
  readonly over?: ReadonlyArray<TaskType>
}

/** What is decided about a type of plan, whatever it is made for. @category models */
export interface PlanRule {
  /** The drift it is for. A plan without one is made for other reasons than drift. */
  readonly primary?: DriftKind
  /** The other drifts that its completion mends. */
  readonly subsumes: ReadonlyArray<DriftKind>
  /** Its tasks. Where there is one per gate or companion, the type that is repeated; a `config-update` has those that mend what differs. */
  readonly tasks: ReadonlyArray<TaskType>
  /** Takes the workload away for a time: waits until the API has the plan. */
  readonly disruptive: boolean
  /** Starts the zone. */
  readonly boots: boolean
  /** Whether it waits for a place among the node's plans. What users ask for at once does not. */
  readonly limited: boolean
  readonly targetPhase?: ZonePhase
  readonly failedPhase?: ZonePhase
  /** What its completion puts from the target into `status.current`. */
  readonly stamps: ReadonlyArray<"specHash" | "digests" | "caps">
  /**
   * Given where the plan goes on past a task that fails or has to be repeated, with those tasks that do not need it; it fails when nothing is
   * left to be tried. Absent: every task needs all before it.
   */
  readonly needs?: Readonly<Partial<Record<TaskType, TaskNeeds>>>
}

/** Most severe first. @category models */
export const severity: ReadonlyArray<DriftKind> = ["power", "missing", "image", "network", "config", "caps", "gate", "companion"]

/** @category models */
export const rules: Readonly<Record<PlanType, PlanRule>> = {
  "init": {
    subsumes: severity,
    tasks: [
      "resolve-image",
      "pull-image",
      "ensure-datasets",
      "ensure-network",
      "write-zonecfg",
      "install-zone",
      "boot-zone",
      "wait-init",
      "open-gates"
    ],
    disruptive: false,
    boots: true,
    limited: false,
    targetPhase: "Running",
    failedPhase: "Failed",
    stamps: ["specHash", "digests", "caps"]
  },
  "image-update": {
    primary: "image",
    subsumes: ["missing", "config", "gate", "network"],
    tasks: [
      "pull-image",
      "snapshot-root",
      "stage-root",
      "pre-stop",
      "halt-zone",
      "swap-root",
      "ensure-network",
      "boot-zone",
      "observe-image",
      "open-gates",
      "soak",
      "commit"
    ],
    disruptive: true,
    boots: true,
    limited: true,
    stamps: ["specHash", "digests"]
  },
  "config-update": {
    primary: "config",
    subsumes: ["gate"],
    tasks: ["persist-zonecfg", "render-files", "reload-or-restart", "open-gates"],
    disruptive: true,
    boots: false,
    limited: true,
    stamps: ["specHash"]
  },
  "network-repair": {
    primary: "network",
    subsumes: [],
    tasks: ["ensure-vnic", "ensure-address", "ensure-filter"],
    disruptive: false,
    boots: false,
    limited: true,
    stamps: []
  },
  "restart": {
    primary: "missing",
    subsumes: ["network", "gate"],
    tasks: ["ensure-network", "boot-zone", "wait-init", "open-gates"],
    disruptive: true,
    boots: true,
    limited: true,
    stamps: []
  },
  "caps-update": {
    primary: "caps",
    subsumes: [],
    tasks: ["set-caps-live", "persist-zonecfg", "observe-caps"],
    disruptive: false,
    boots: false,
    limited: true,
    stamps: ["specHash", "caps"]
  },
  "gate-reapproval": {
    primary: "gate",
    subsumes: [],
    tasks: ["approve-gate"],
    disruptive: false,
    boots: false,
    limited: true,
    stamps: []
  },
  "companion-repair": {
    primary: "companion",
    subsumes: [],
    tasks: ["repair-companion"],
    disruptive: false,
    boots: false,
    limited: true,
    stamps: []
  },
  "rollback": {
    subsumes: ["missing", "network", "gate"],
    tasks: ["halt-zone", "swap-root", "ensure-network", "boot-zone", "observe-image", "open-gates"],
    disruptive: true,
    boots: true,
    limited: true,
    targetPhase: "Running",
    failedPhase: "Degraded",
    stamps: ["digests"]
  },
  "stop": {
    primary: "power",
    subsumes: [],
    tasks: ["pre-stop", "halt-zone"],
    disruptive: true,
    boots: false,
    limited: false,
    stamps: []
  },
  "teardown": {
    subsumes: severity,
    tasks: ["pre-stop", "halt-zone", "uninstall-zone", "delete-zonecfg", "remove-network", "destroy-datasets"],
    disruptive: true,
    boots: false,
    limited: false,
    stamps: [],
    needs: {
      "halt-zone": { over: ["pre-stop"] },
      "uninstall-zone": { complete: ["halt-zone"] },
      "delete-zonecfg": { complete: ["uninstall-zone"] },
      // What a zone that cannot be removed stands on is kept.
      "remove-network": { complete: ["delete-zonecfg"] },
      "destroy-datasets": { complete: ["delete-zonecfg"] }
    }
  }
}

/** Whether a plan takes the workload away for a time: a `config-update` that leaves the processes as they are does not. @category combinators */
export const isDisruptive = ({ tasks, type }: { readonly type: PlanType; readonly tasks: ReadonlyArray<{ readonly type: TaskType }> }): boolean =>
  rules[type].disruptive && (type !== "config-update" || tasks.some((task) => task.type === "reload-or-restart"))

/** Types of plan that a drift can bring about, in the order in which equals are preferred. @category models */
export const repairs: ReadonlyArray<PlanType> = [
  "stop",
  "restart",
  "image-update",
  "network-repair",
  "config-update",
  "caps-update",
  "gate-reapproval",
  "companion-repair"
]

/** Whether completing a plan of this type mends a drift. @category combinators */
export const covers = (type: PlanType, drift: DriftKind): boolean => rules[type].primary === drift || rules[type].subsumes.includes(drift)

/** The first in `severity`. @category combinators */
export const mostSevere = (drifts: ReadonlyArray<DriftKind>): DriftKind | undefined => severity.find((kind) => drifts.includes(kind))

/** Whether `left` comes before `right` in `severity`. @category combinators */
export const isMoreSevere = (left: DriftKind, right: DriftKind): boolean => severity.indexOf(left) < severity.indexOf(right)

/**
 * Of the types of plan whose own drift is there and that mend the most severe drift, the one that mends most of all drifts.
 *
 * @category combinators
 */
export const select = (drifts: ReadonlyArray<DriftKind>): PlanType | undefined => {
  const worst = mostSevere(drifts)
  if (worst === undefined) return undefined
  let best: { readonly type: PlanType; readonly count: number } | undefined
  for (const type of repairs) {
    const { primary } = rules[type]
    if (primary === undefined || !drifts.includes(primary) || !covers(type, worst)) continue
    const count = drifts.filter((drift) => covers(type, drift)).length
    if (best === undefined || count > best.count) best = { type, count }
  }
  return best?.type
}
