module hatchery.openagents.com/test/harness/light-gateway

go 1.26.0
