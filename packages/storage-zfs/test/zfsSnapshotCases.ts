import { type Case, fails, missing, usage } from "./zfsAnswers.js"

/** Snapshots and what depends on them: clones, holds, names, and the way back. */
export const snapshotCases: ReadonlyArray<Case> = [
  {
    name: "takes snapshots, of a tree in one moment",
    steps: [
      ["zfs create -p %/a/b", 0],
      ["zfs snapshot %/a@s", 0],
      ["zfs snapshot %/a@s", fails("dataset already exists")],
      ["zfs snapshot -r %/a@t", 0],
      ["zfs snapshot -r %/a@t", fails("dataset already exists\nno snapshots were created")],
      ["zfs snapshot -o ns:key=v %/a@u", 0],
      ["zfs get -Hp -o value,source ns:key %/a@u", "v\tlocal"],
      ["zfs snapshot -o quota=1 %/a@v", fails("this property can not be modified for snapshots")],
      ["zfs get -Hp -o property,value,source type,origin,quota,userrefs,defer_destroy,mountpoint %/a@u", "type\tsnapshot\t-\norigin\t-\t-\nquota\t-\t-\nuserrefs\t0\t-\ndefer_destroy\toff\t-\nmountpoint\t-\t-"],
      ["zfs list -H -o name -t snapshot -r %/a", "%/a@s\n%/a@t\n%/a@u\n%/a/b@t"],
      ["zfs set ns:key=w %/a@u", 0],
      ["zfs get -Hp -o value ns:key %/a@u", "w"],
      ["zfs snapshot", usage],
      ["zfs destroy -r %/a@t", 0],
      ["zfs list -H -o name -t snapshot -r %/a", "%/a@s\n%/a@u"],
      ["zfs destroy %/a@none", missing]
    ]
  },
  {
    name: "clones and promotes",
    steps: [
      ["zfs create %/a", 0],
      ["zfs snapshot %/a@1", 0],
      ["zfs snapshot %/a@2", 0],
      ["zfs snapshot %/a@3", 0],
      ["zfs clone -o ns:key=v %/a@2 %/c", 0],
      ["zfs get -Hp -o value origin,ns:key %/c", "%/a@2\nv"],
      ["zfs clone %/a@2 %/c", fails("dataset already exists")],
      ["zfs clone %/a@none %/d", missing],
      ["zfs clone %/a@2 %/n/d", fails("parent does not exist")],
      ["zfs clone -p %/a@2 %/n/d", 0],
      ["zfs clone %/a@2 nopool/d", fails("no such pool 'nopool'")],
      ["zfs clone -o foo=1 %/a@2 %/e", fails("invalid property 'foo'")],
      ["zfs clone %/a %/e", fails("operation not applicable to datasets of this type")],
      ["zfs clone %/a@2", usage],
      ["zfs promote %/a", fails("not a cloned filesystem")],
      ["zfs promote %/none", missing],
      ["zfs promote", usage],
      ["zfs snapshot %/c@1", 0],
      ["zfs promote %/c", fails("conflicting snapshot '1' from parent '%/a@2'")],
      ["zfs destroy %/c@1", 0],
      ["zfs promote %/c", 0],
      ["zfs list -H -o name,origin -t all -r %", "%\t-\n%/a\t%/c@2\n%/a@3\t-\n%/c\t-\n%/c@1\t-\n%/c@2\t-\n%/n\t-\n%/n/d\t%/c@2"],
      ["zfs destroy -r %/a", 0],
      ["zfs destroy %/n/d", 0],
      ["zfs destroy -r %/c", 0]
    ]
  },
  {
    name: "destroys what nothing depends on",
    steps: [
      ["zfs create -p %/a/b", 0],
      ["zfs snapshot %/a@s", 0],
      ["zfs snapshot -r %/a@t", 0],
      ["zfs clone %/a@s %/c", 0],
      ["zfs destroy %/a@s", fails("snapshot has dependent clones\nuse '-R' to destroy the following datasets:\n%/c")],
      ["zfs destroy %/a", fails("filesystem has children\nuse '-r' to destroy the following datasets:\n%/a/b@t\n%/a/b\n%/a@s\n%/a@t")],
      ["zfs destroy -r %/a", fails("filesystem has dependent clones\nuse '-R' to destroy the following datasets:\n%/c")],
      ["zfs destroy -r %/a/b", 0],
      ["zfs destroy %/none", missing],
      ["zfs destroy", usage],
      ["zfs destroy %/a %/b", usage],
      ["zfs destroy -d %/a@s", 0],
      ["zfs get -Hp -o value defer_destroy %/a@s", "on"],
      ["zfs destroy %/c", 0],
      ["zfs list -H -o name -t snapshot -r %/a", "%/a@t"],
      ["zfs clone %/a@t %/c", 0],
      ["zfs destroy -R %/a", 0],
      ["zfs list -H -o name -r %", "%"]
    ]
  },
  {
    name: "holds snapshots",
    steps: [
      ["zfs create %/a", 0],
      ["zfs snapshot %/a@s", 0],
      ["zfs hold keep %/a@s", 0],
      ["zfs hold keep %/a@s", fails("tag already exists on this dataset")],
      ["zfs hold second %/a@s", 0],
      ["zfs get -Hp -o value userrefs %/a@s", "2"],
      ["zfs hold keep %/a@none", missing],
      ["zfs hold keep", usage],
      ["zfs hold", usage],
      ["zfs destroy %/a@s", fails("busy")],
      ["zfs destroy -r %/a", fails("busy")],
      ["zfs release nope %/a@s", fails("no such tag on this dataset")],
      ["zfs release second %/a@s", 0],
      ["zfs destroy -d %/a@s", 0],
      ["zfs get -Hp -o value defer_destroy,userrefs %/a@s", "on\n1"],
      ["zfs release keep %/a@s", 0],
      ["zfs list -H -o name -t all -r %/a", "%/a"],
      ["zfs create %/a/b", 0],
      ["zfs snapshot -r %/a@t", 0],
      ["zfs hold -r keep %/a@t", 0],
      ["zfs get -Hp -o value userrefs %/a/b@t", "1"],
      ["zfs release -r keep %/a@t", 0],
      ["zfs get -Hp -o value userrefs %/a@t %/a/b@t", "0\n0"]
    ]
  },
  {
    name: "renames datasets and snapshots",
    steps: [
      ["zfs create -p %/a/b", 0],
      ["zfs create %/c", 0],
      ["zfs snapshot -r %/a@s", 0],
      ["zfs clone %/a@s %/k", 0],
      ["zfs rename %/a %/c", fails("dataset already exists")],
      ["zfs rename %/a %/q/r", fails("parent does not exist")],
      ["zfs rename %/none %/q", missing],
      ["zfs rename %/a", usage],
      ["zfs rename %/a nopool/a", fails("no such pool 'nopool'")],
      ["zfs rename %/a %/a/x", fails("New dataset name cannot be a descendant of current dataset name")],
      ["zfs rename -p %/a %/q/r", 0],
      ["zfs list -H -o name -t all -r %", "%\n%/c\n%/k\n%/q\n%/q/r\n%/q/r@s\n%/q/r/b\n%/q/r/b@s"],
      ["zfs get -Hp -o value origin %/k", "%/q/r@s"],
      ["zfs rename %/q/r@s @t", 0],
      ["zfs rename %/q/r@t u", 0],
      ["zfs rename %/q/r@u %/c@u", fails("snapshots must be part of same dataset")],
      ["zfs rename -r %/q/r@s %/q/r@v", missing],
      ["zfs rename %/q/r/b@s %/q/r/b@u", 0],
      ["zfs rename -r %/q/r@u %/q/r@w", 0],
      ["zfs list -H -o name -t snapshot -r %", "%/q/r@w\n%/q/r/b@w"]
    ]
  },
  {
    name: "rolls back",
    steps: [
      ["zfs create %/a", 0],
      ["zfs snapshot %/a@1", 0],
      ["zfs snapshot %/a@2", 0],
      ["zfs snapshot %/a@3", 0],
      ["zfs clone %/a@3 %/c", 0],
      ["zfs rollback %/a@3", 0],
      ["zfs rollback %/a@1", fails("more recent snapshots exist\nuse '-r' to force deletion of the following snapshots:\n%/a@2\n%/a@3")],
      ["zfs rollback -r %/a@1", fails("clones of previous snapshots exist\nuse '-R' to force deletion of the following clones and dependents:\n%/c")],
      ["zfs rollback -R %/a@1", 0],
      ["zfs list -H -o name -t all -r %", "%\n%/a\n%/a@1"],
      ["zfs rollback %/a@none", missing],
      ["zfs rollback %/a", fails("operation not applicable to datasets of this type")],
      ["zfs rollback", usage]
    ]
  },
  {
    name: "sends and receives with refusals",
    steps: [
      ["zfs create %/a", 0],
      ["zfs snapshot %/a@1", 0],
      ["zfs snapshot %/a@2", 0],
      ["zfs send %/a@none", missing],
      ["zfs send -i %/a@2 %/a@1", fails("not an earlier snapshot from the same fs")],
      ["zfs send", usage],
      ["zfs receive", usage],
      ["zfs receive %/new", fails("failed to read from stream")],
      ["zfs list -H -o name -r %", "%\n%/a"]
    ]
  }
]
