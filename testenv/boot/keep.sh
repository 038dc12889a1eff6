# The first process in the namespaces of a container: when it ends, the kernel ends all that is inside. Its arguments are the command that runs
# the container, again after each reboot; MACHINE_GROUPS are cgroups for it. Over MACHINE_TREE, where given, it lays a file system in memory.
set -e
for group in $MACHINE_GROUPS; do
  echo 0 >"$group/cgroup.procs"
done
mount -t proc proc /proc
mount -t tmpfs -o mode=755 machine /run
if [ -n "$MACHINE_TREE" ]; then
  mkdir /run/machine /run/machine/upper /run/machine/work /run/machine/root
  mount -t overlay -o "lowerdir=$MACHINE_TREE,upperdir=/run/machine/upper,workdir=/run/machine/work" machine /run/machine/root
fi
while :; do
  status=0
  "$@" || status=$?
  # systemd-nspawn's request to be started again: the container reboots.
  [ "$status" -eq 133 ] || exit "$status"
done
