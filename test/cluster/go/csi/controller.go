package main

import (
	"context"
	"sync"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// controller creates, grows and deletes volumes. There is one in a cluster, so a mutex is lock enough.
type controller struct {
	csi.UnimplementedControllerServer
	volumes store
	mu      sync.Mutex
}

// ControllerGetCapabilities names create, delete, expand and the access mode of a single pod.
func (*controller) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	response := &csi.ControllerGetCapabilitiesResponse{}
	for _, kind := range []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_EXPAND_VOLUME,
		csi.ControllerServiceCapability_RPC_SINGLE_NODE_MULTI_WRITER,
	} {
		rpc := &csi.ControllerServiceCapability_RPC{Type: kind}
		capability := &csi.ControllerServiceCapability{Type: &csi.ControllerServiceCapability_Rpc{Rpc: rpc}}
		response.Capabilities = append(response.Capabilities, capability)
	}
	return response, nil
}

// CreateVolume makes the volume, or gives the one that has the name already.
func (c *controller) CreateVolume(_ context.Context, request *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	if request.GetVolumeContentSource() != nil {
		return nil, status.Error(codes.InvalidArgument, "volumes from a snapshot or another volume are not supported")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.volumes.load(request.GetName())
	if status.Code(err) == codes.NotFound {
		v = volume{ID: request.GetName(), Size: request.GetCapacityRange().GetRequiredBytes()}
		if v.Size == 0 {
			v.Size = defaultSize
		}
		err = c.volumes.create(v)
	}
	if err != nil {
		return nil, err
	}
	return &csi.CreateVolumeResponse{Volume: &csi.Volume{VolumeId: v.ID, CapacityBytes: v.Size}}, nil
}

// DeleteVolume removes the volume.
func (c *controller) DeleteVolume(_ context.Context, request *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &csi.DeleteVolumeResponse{}, c.volumes.remove(request.GetVolumeId())
}

// ControllerExpandVolume grows the image and leaves the file system to the node.
func (c *controller) ControllerExpandVolume(_ context.Context, request *csi.ControllerExpandVolumeRequest) (*csi.ControllerExpandVolumeResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.volumes.load(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	v, err = c.volumes.grow(v, request.GetCapacityRange().GetRequiredBytes())
	if err != nil {
		return nil, err
	}
	return &csi.ControllerExpandVolumeResponse{CapacityBytes: v.Size, NodeExpansionRequired: true}, nil
}

// ValidateVolumeCapabilities confirms whatever is asked of a volume that exists.
func (c *controller) ValidateVolumeCapabilities(_ context.Context, request *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	if _, err := c.volumes.load(request.GetVolumeId()); err != nil {
		return nil, err
	}
	confirmed := &csi.ValidateVolumeCapabilitiesResponse_Confirmed{VolumeCapabilities: request.GetVolumeCapabilities()}
	return &csi.ValidateVolumeCapabilitiesResponse{Confirmed: confirmed}, nil
}
