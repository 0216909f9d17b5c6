#!/usr/bin/env bash
# Start or stop the machine of EC2 that trains, and wait until it has.
#   gpu_machine.sh start|stop INSTANCE_ID
set -euo pipefail
action=${1:?start or stop} instance=${2:?an id}
case $action in
  start) state=instance-status-ok ;;
  stop) state=instance-stopped ;;
  *) echo "error: $action: not start or stop" >&2; exit 64 ;;
esac
aws ec2 "$action-instances" --instance-ids "$instance" --output text
aws ec2 wait "$state" --instance-ids "$instance"
