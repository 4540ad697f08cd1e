"""Object storage (OSS), emulated at `oss-<region>.aliyuncs.com` and `<bucket>.oss-<region>.aliyuncs.com`."""
