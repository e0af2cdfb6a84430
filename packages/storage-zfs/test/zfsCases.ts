import { type Case, fails, missing, usage } from "./zfsAnswers.js"
import { snapshotCases } from "./zfsSnapshotCases.js"

const datasetCases: ReadonlyArray<Case> = [
  {
    name: "creates file systems, with parents where asked",
    steps: [
      ["zfs create %/a", 0],
      ["zfs create %/a", fails("dataset already exists")],
      ["zfs create -p %/a", 0],
      ["zfs create -p -o quota=10M %/p/q/r", 0],
      ["zfs get -Hp -o value,source quota %/p/q/r", "10485760\tlocal"],
      ["zfs get -Hp -o value,source quota %/p/q", "0\tdefault"],
      ["zfs create %/x/y/z", fails("parent does not exist")],
      ["zfs create nopool/a", fails("no such pool 'nopool'")],
      ["zfs create", usage],
      ["zfs create -Z %/k", usage],
      ["zfs create %/k %/l", usage],
      ["zfs create -o", usage]
    ]
  },
  {
    name: "refuses names that are none",
    steps: [
      ["zfs create %/a@b", fails("snapshot delimiter")],
      ["zfs create %//a", fails("empty component in name")],
      ["zfs create %/a/", fails("trailing slash in name")],
      ["zfs create /%", fails("leading slash in name")],
      ["zfs create %/a*b", fails("invalid character '*' in name")],
      ["zfs snapshot %", fails("missing '@' delimiter in snapshot name")],
      ["zfs snapshot %@s*", fails("invalid character '*' in name")],
      ["zfs snapshot %@", fails("empty component in name")]
    ]
  },
  {
    name: "refuses properties and values that do not exist when it creates",
    steps: [
      ["zfs create -o foo=1 %/k", fails("invalid property 'foo'")],
      ["zfs create -o quota=abc %/k", fails("bad numeric value 'abc'")],
      ["zfs create -o atime=maybe %/k", fails("'atime' must be one of 'on | off'")],
      ["zfs create -o used=1 %/k", fails("'used' is readonly")],
      ["zfs create -o recordsize=1000 %/k", fails("'recordsize' must be power of 2")],
      ["zfs create -o mountpoint=rel %/k", fails("'mountpoint' must be an absolute path, 'none', or 'legacy'")],
      ["zfs create -o reservation=900T %/k", fails("out of space")],
      ["zfs create -o Foo:bar=1 %/k", fails("invalid property 'Foo:bar'")],
      ["zfs list -H -o name %/k", missing]
    ]
  },
  {
    name: "sets, reads and inherits properties",
    steps: [
      ["zfs create %/a", 0],
      ["zfs set ns:key=a+b{\"x\":[1]} %/a", 0],
      ["zfs set atime=off %/a", 0],
      ["zfs create %/a/b", 0],
      ["zfs get -Hp -o name,property,value,source ns:key,atime,ns:none %/a/b", "%/a/b\tns:key\ta+b{\"x\":[1]}\tinherited from %/a\n%/a/b\tatime\toff\tinherited from %/a\n%/a/b\tns:none\t-\t-"],
      [
        "zfs get -Hp -o property,value,source quota,refquota,reservation,refreservation,mountpoint,canmount,zoned,origin,mounted,type,recordsize,readonly,copies,exec,setuid,devices,snapdir %/a",
        "quota\t0\tdefault\nrefquota\t0\tdefault\nreservation\t0\tdefault\nrefreservation\t0\tdefault\nmountpoint\tnone\tinherited from %\ncanmount\ton\tdefault\nzoned\toff\tdefault\n"
        + "origin\t-\t-\nmounted\tno\t-\ntype\tfilesystem\t-\nrecordsize\t131072\tdefault\nreadonly\toff\tdefault\ncopies\t1\tdefault\nexec\ton\tdefault\nsetuid\ton\tdefault\n"
        + "devices\ton\tdefault\nsnapdir\thidden\tdefault"
      ],
      ["zfs get -H -o value quota,mountpoint %/a", "none\nnone"],
      ["zfs set quota=10M %/a", 0],
      ["zfs get -H -o value quota %/a", "10M"],
      ["zfs set quota=none %/a", 0],
      ["zfs get -Hp -o value,source quota %/a", "0\tlocal"],
      ["zfs get -Hp -s local -o property,value all %/a/b", ""],
      ["zfs inherit ns:key %/a", 0],
      ["zfs get -Hp -o value,source ns:key %/a/b", "-\t-"],
      ["zfs inherit -r atime %/a", 0],
      ["zfs get -Hp -o value,source atime %/a/b", "on\tdefault"],
      ["zfs inherit -S atime %/a", 0],
      ["zfs inherit quota %/a", fails("'quota' property cannot be inherited\nuse 'zfs set quota=none' to clear")],
      ["zfs inherit used %/a", fails("used property is read-only")],
      ["zfs inherit foo %/a", usage],
      ["zfs inherit atime", usage],
      ["zfs inherit atime %/none", missing]
    ]
  },
  {
    name: "refuses what cannot be set",
    steps: [
      ["zfs create %/a", 0],
      ["zfs set foo=1 %/a", fails("invalid property 'foo'")],
      ["zfs set quota=abc %/a", fails("bad numeric value 'abc'")],
      ["zfs set atime=maybe %/a", fails("'atime' must be one of 'on | off'")],
      ["zfs set used=1 %/a", fails("'used' is readonly")],
      ["zfs set casesensitivity=mixed %/a", fails("'casesensitivity' is readonly")],
      ["zfs set quota=1K %/a", fails("size is less than current used or reserved space")],
      ["zfs set refquota=1K %/a", fails("size is less than current used or reserved space")],
      ["zfs set reservation=900T %/a", fails("size is greater than available space")],
      ["zfs set refreservation=900T %/a", fails("size is greater than available space")],
      ["zfs set quota=10M %/a", 0],
      ["zfs set reservation=20M %/a", fails("size is greater than available space")],
      ["zfs set reservation=5M %/a", 0],
      ["zfs set quota=4M %/a", fails("size is less than current used or reserved space")],
      ["zfs set atime=off %/none", missing],
      ["zfs set", usage],
      ["zfs set nonsense %/a", usage],
      ["zfs set atime=off", usage],
      ["zfs get -Hp -o value nope %/a", usage],
      ["zfs get -Hp -o bogus type %/a", usage],
      ["zfs get", usage]
    ]
  },
  {
    name: "lists in order, by depth, type and column",
    steps: [
      ["zfs create -p %/b/c", 0],
      ["zfs create %/a", 0],
      ["zfs create %/b-1", 0],
      ["zfs snapshot %/b@z", 0],
      ["zfs snapshot %/b@a", 0],
      ["zfs list -H -o name -r %", "%\n%/a\n%/b\n%/b-1\n%/b/c"],
      ["zfs list -H -o name -d 1 %", "%\n%/a\n%/b\n%/b-1"],
      ["zfs list -H -o name -t all -r %/b", "%/b\n%/b@z\n%/b@a\n%/b/c"],
      ["zfs list -H -o name -t snapshot -r %", "%/b@z\n%/b@a"],
      ["zfs list -H -o name -t filesystem -r %/b", "%/b\n%/b/c"],
      ["zfs list -H -o name -t snapshot -s name -r %/b", "%/b@a\n%/b@z"],
      ["zfs list -H -o name -t snapshot -S createtxg -r %/b", "%/b@a\n%/b@z"],
      ["zfs get -Hp -r -o name,value type %/b", "%/b\tfilesystem\n%/b@z\tsnapshot\n%/b@a\tsnapshot\n%/b/c\tfilesystem"],
      ["zfs get -Hp -d 1 -o name,value type %/b", "%/b\tfilesystem\n%/b@z\tsnapshot\n%/b@a\tsnapshot\n%/b/c\tfilesystem"],
      ["zfs get -Hp -o value type %/b", "filesystem"],
      ["zfs get -Hp -o name,value type %/b %/a", "%/a\tfilesystem\n%/b\tfilesystem"],
      ["zfs list -H -o name %/none", missing],
      ["zfs list -H -o name,foo %", usage],
      ["zfs list -Z", usage],
      ["zfs list -t bogus", usage]
    ]
  },
  {
    name: "mounts and unmounts",
    steps: [
      ["zfs create %/n", 0],
      ["zfs mount %/n", fails("no mountpoint set")],
      ["zfs unmount %/n", fails("not currently mounted")],
      ["zfs mount %/none", missing],
      ["zfs unmount %/none", missing],
      ["zfs create -o mountpoint=^/m %/m", 0],
      ["zfs get -Hp -o value mounted,mountpoint %/m", "yes\n^/m"],
      ["zfs mount %/m", fails("filesystem already mounted")],
      ["zfs unmount ^/m", 0],
      ["zfs unmount ^/m", fails("not a ZFS filesystem")],
      ["zfs get -Hp -o value mounted %/m", "no"],
      ["zfs mount %/m", 0],
      ["zfs unmount %/m", 0],
      ["zfs unmount", usage],
      ["zfs create -o mountpoint=legacy %/l", 0],
      ["zfs mount %/l", fails("legacy mountpoint\nuse mount(1M) to mount this filesystem")],
      ["zfs create -o canmount=off -o mountpoint=^/o %/o", 0],
      ["zfs mount %/o", fails("'canmount' property is set to 'off'")],
      ["zfs create -o canmount=noauto -o mountpoint=^/na %/na", 0],
      ["zfs get -Hp -o value mounted %/na", "no"],
      ["zfs mount %/na", 0],
      ["zfs get -Hp -o value mounted %/na", "yes"],
      ["zfs unmount %/na", 0],
      ["zfs set mountpoint=^/moved %/m", 0],
      ["zfs mount %/m", 0],
      ["zfs get -Hp -o value mounted %/m", "yes"],
      ["zfs unmount %/m", 0]
    ]
  },
  {
    name: "does not mount what is delegated to a zone",
    steps: [
      ["zfs create -o zoned=on -o mountpoint=^/z %/z", 0],
      ["zfs get -Hp -o value mounted,zoned %/z", "no\non"],
      ["zfs mount %/z", fails("dataset is exported to a local zone")],
      ["zfs set mountpoint=^/y %/z", fails("'mountpoint' cannot be set on dataset in a non-global zone")],
      ["zfs create %/z/inner", 0],
      ["zfs get -Hp -o value,source zoned %/z/inner", "on\tinherited from %/z"]
    ]
  },
  {
    name: "pools: missing ones and wrong use",
    steps: [
      ["zpool list nopool", fails("no such pool")],
      ["zpool status nopool", fails("no such pool")],
      ["zpool iostat nopool", fails("no such pool")],
      ["zpool destroy nopool", fails("no such pool")],
      ["zpool scrub nopool", fails("no such pool")],
      ["zpool list -o bogus", usage],
      ["zpool create", usage],
      ["zpool", usage],
      ["zpool bogus", usage],
      ["zpool list -H -o name,health %%", "%%\tONLINE"],
      ["zpool scrub %%", 0],
      ["zpool create %%-x ^/not-there", fails("No such file or directory")],
      ["zfs", usage],
      ["zfs bogus", usage]
    ]
  },
  {
    name: "lists and destroys by newer forms",
    needs: "modern",
    steps: [
      ["zfs create -o quota=1G %/a", 0],
      ["zfs list -Hp -o name,quota,refquota %/a", "%/a\t1073741824\t0"],
      ["zfs snapshot %/a@1 %/a@2 %/a@3", 0],
      ["zfs snapshot %/a@4", 0],
      ["zfs get -Hp -r -t snapshot -o name type %/a", "%/a@1\n%/a@2\n%/a@3\n%/a@4"],
      ["zfs destroy -n -p %/a@1", 0],
      ["zfs destroy %/a@1,3", 0],
      ["zfs list -H -o name -t snapshot -r %/a", "%/a@2\n%/a@4"],
      ["zfs snapshot %/a@5", 0],
      ["zfs destroy %/a@2%4", 0],
      ["zfs list -H -o name -t snapshot -r %/a", "%/a@5"],
      ["zfs destroy %/a@x,y", missing],
      ["zfs set atime=off exec=off %/a", 0],
      ["zfs get -Hp -o value atime,exec %/a", "off\noff"]
    ]
  },
  {
    name: "makes, resizes, snapshots and clones volumes",
    needs: "volumes",
    steps: [
      ["zfs create -V 10M %/v", 0],
      ["zfs get -Hp -o value type,volsize,volblocksize,mountpoint,quota %/v", "volume\n10485760\n8192\n-\n-"],
      ["zfs create -s -V 1G -b 4096 %/s", 0],
      ["zfs get -Hp -o value volsize,volblocksize,refreservation %/s", "1073741824\n4096\n0"],
      ["zfs create %/v/x", fails("parent '%/v' is not a filesystem")],
      ["zfs create -V 900T %/big", fails("out of space")],
      ["zfs set volsize=20M %/v", 0],
      ["zfs get -Hp -o value volsize %/v", "20971520"],
      ["zfs set quota=1G %/v", fails("'quota' does not apply to datasets of this type")],
      ["zfs snapshot %/v@s", 0],
      ["zfs clone %/v@s %/w", 0],
      ["zfs get -Hp -o value type,volsize,origin %/w", "volume\n20971520\n%/v@s"],
      ["zfs destroy %/w", 0],
      ["zfs destroy -r %/v", 0],
      ["zfs create -s %/k", usage]
    ]
  }
]

export const cases: ReadonlyArray<Case> = [...datasetCases, ...snapshotCases]
