package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// nodeServer mounts volumes on one node, inside that node's mount namespace.
type nodeServer struct {
	csi.UnimplementedNodeServer
	volumes store
	name    string
}

// NodeGetInfo is the node's name.
func (n nodeServer) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: n.name}, nil
}

// NodeGetCapabilities names expansion, statistics and the access mode of a single pod.
func (nodeServer) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	response := &csi.NodeGetCapabilitiesResponse{}
	for _, kind := range []csi.NodeServiceCapability_RPC_Type{
		csi.NodeServiceCapability_RPC_EXPAND_VOLUME,
		csi.NodeServiceCapability_RPC_GET_VOLUME_STATS,
		csi.NodeServiceCapability_RPC_SINGLE_NODE_MULTI_WRITER,
	} {
		rpc := &csi.NodeServiceCapability_RPC{Type: kind}
		capability := &csi.NodeServiceCapability{Type: &csi.NodeServiceCapability_Rpc{Rpc: rpc}}
		response.Capabilities = append(response.Capabilities, capability)
	}
	return response, nil
}

// NodePublishVolume mounts the volume at the pod's path and lets the file system fill its image. Two pods on the node
// share one loop device: XFS on two of the same image would destroy it.
func (n nodeServer) NodePublishVolume(_ context.Context, request *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	target := request.GetTargetPath()
	if isMounted(target) {
		return &csi.NodePublishVolumeResponse{}, nil
	}
	if _, err := n.volumes.load(request.GetVolumeId()); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(target, 0o750); err != nil {
		return nil, err
	}
	source, err := n.volumes.loopDevice(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	options := "nouuid"
	if source == "" {
		source, options = n.volumes.image(request.GetVolumeId()), "loop,nouuid"
	}
	if err := execute("mount", "-t", "xfs", "-o", options, source, target); err != nil {
		return nil, err
	}
	return &csi.NodePublishVolumeResponse{}, execute("xfs_growfs", target)
}

// NodeUnpublishVolume takes the mount away; the loop device goes with the last one.
func (nodeServer) NodeUnpublishVolume(_ context.Context, request *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	target := request.GetTargetPath()
	if isMounted(target) {
		if err := execute("umount", target); err != nil {
			return nil, err
		}
	}
	if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

// NodeExpandVolume tells the loop device and the file system about the larger image.
func (n nodeServer) NodeExpandVolume(_ context.Context, request *csi.NodeExpandVolumeRequest) (*csi.NodeExpandVolumeResponse, error) {
	device, err := n.volumes.loopDevice(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	if device == "" {
		return nil, status.Errorf(codes.FailedPrecondition, "volume %s is not in use here", request.GetVolumeId())
	}
	if err := execute("losetup", "--set-capacity", device); err != nil {
		return nil, err
	}
	return &csi.NodeExpandVolumeResponse{}, execute("xfs_growfs", request.GetVolumePath())
}

// NodeGetVolumeStats gives what df would say.
func (nodeServer) NodeGetVolumeStats(_ context.Context, request *csi.NodeGetVolumeStatsRequest) (*csi.NodeGetVolumeStatsResponse, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(request.GetVolumePath(), &s); err != nil {
		return nil, status.Errorf(codes.NotFound, "%s: %v", request.GetVolumePath(), err)
	}
	size := s.Bsize
	bytes := &csi.VolumeUsage{Unit: csi.VolumeUsage_BYTES, Total: int64(s.Blocks) * size, Available: int64(s.Bavail) * size, Used: int64(s.Blocks-s.Bfree) * size}
	inodes := &csi.VolumeUsage{Unit: csi.VolumeUsage_INODES, Total: int64(s.Files), Available: int64(s.Ffree), Used: int64(s.Files - s.Ffree)}
	return &csi.NodeGetVolumeStatsResponse{Usage: []*csi.VolumeUsage{bytes, inodes}}, nil
}

func isMounted(path string) bool { return exec.Command("mountpoint", "-q", path).Run() == nil }
