"""What an application asks botocore about its instance."""

import os
import sys

import botocore.session
from botocore.utils import IMDSRegionProvider, InstanceMetadataFetcher, InstanceMetadataRegionFetcher

# IMDSRegionProvider hands the endpoint of the environment on to its fetcher.
session = botocore.session.get_session()
print("region:", IMDSRegionProvider(session).provide())
print("region without a session:", InstanceMetadataRegionFetcher().retrieve_region())

fetched = InstanceMetadataFetcher(timeout=2, num_attempts=1).retrieve_iam_role_credentials()
print("role:", fetched["role_name"], sorted(fetched))

credentials = session.get_credentials()
print("found by:", credentials.method)
frozen = credentials.get_frozen_credentials()
same = (frozen.access_key, frozen.secret_key, frozen.token) == (fetched["access_key"], fetched["secret_key"], fetched["token"])
print("the same credentials:", same)
sys.exit(not same)
