#!/bin/sh
# A job system tells the bot that a job is complete: it sends the event `jobComplete` over Direct Line, as any client would.
#
#   usage: complete-job.sh <job number> [<server>]
#
# The server is http://127.0.0.1:3978 unless another is named. The channel's secret comes from PROACT_DIRECTLINE_SECRET, or
# from the file that PROACT_DIRECTLINE_SECRET_FILE names (./data/directline.secret unless said otherwise).
#
# It ends with 0 when the bot has taken the event. The person is then told in the conversation in which they started the job.
# What fails on the way is tried again; the event carries an id (`clientActivityID`), so it is taken once.
set -eu

fail() {
    echo "complete-job: $1" >&2
    exit 1
}

number=${1:-}
server=${2:-http://127.0.0.1:3978}
case $number in
'' | *[!0-9]*) fail "give the number of a job, such as: complete-job.sh 17" ;;
esac
file=${PROACT_DIRECTLINE_SECRET_FILE:-./data/directline.secret}
secret=${PROACT_DIRECTLINE_SECRET:-$(cat "$file" 2>/dev/null)} ||
    fail "no secret: set PROACT_DIRECTLINE_SECRET, or name its file in PROACT_DIRECTLINE_SECRET_FILE"

# Posts JSON. The token stands in no argument: others on this machine could read those.
post() {
    printf 'Authorization: Bearer %s\n' "$3" |
        curl --silent --show-error --fail-with-body --max-time 30 --retry 5 --retry-connrefused --header @- \
            --header 'Content-Type: application/json' --data "$2" "$server/v3/directline/$1"
}

# The text of a member of a flat JSON object.
member() {
    printf '%s' "$1" | sed -n 's/.*"'"$2"'":"\([^"]*\)".*/\1/p'
}

# A conversation of the job system's own.
started=$(post conversations '{"user":{"id":"job-system","name":"Job system"}}' "$secret") ||
    fail "no conversation: $started"
conversation=$(member "$started" conversationId)
token=$(member "$started" token)

event='{"type":"event","name":"jobComplete","value":'$number',"from":{"id":"job-system"},
    "channelData":{"clientActivityID":"job-'$number'-complete"}}'
sent=$(post "conversations/$conversation/activities" "$event" "$token") || fail "the bot has not taken it: $sent"
echo "job $number: the bot has taken the event $(member "$sent" id)"
