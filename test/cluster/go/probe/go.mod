module hatchery.openagents.com/test/cluster/probe

go 1.26.0
