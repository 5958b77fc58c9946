"""botocore under the service's clock.

For each line on standard input: gets the credentials as a client of AWS does
before a request, and prints the access key id and the seconds that they live.
The only thing that is not botocore's own is where it takes the time from: the
Date of the service's answers, so that both believe in one clock.
"""

import datetime
import email.utils
import os
import sys
import urllib.request

import botocore.credentials
import botocore.session
import botocore.utils

ENDPOINT = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"]


def now(tzinfo=datetime.timezone.utc):
    # 401 where tokens are required tells the time too.
    try:
        answer = urllib.request.urlopen(ENDPOINT)
    except urllib.error.HTTPError as error:
        answer = error
    time = email.utils.parsedate_to_datetime(answer.headers["Date"])
    return time.astimezone(tzinfo) if tzinfo else time.replace(tzinfo=None)


botocore.credentials._local_now = now
botocore.utils.get_current_datetime = lambda remove_tzinfo=True: now(None if remove_tzinfo else datetime.timezone.utc)

session = botocore.session.Session()
credentials = None
for _ in sys.stdin:
    if credentials is None:
        credentials = session.get_credentials()
        credentials._time_fetcher = now
    frozen = credentials.get_frozen_credentials()
    lives = (credentials._expiry_time - now()).total_seconds()
    print(frozen.access_key, int(lives), flush=True)
