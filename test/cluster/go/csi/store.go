package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// defaultSize is what a claim without a size gets.
	defaultSize = 64 << 20
	// smallestImage is the least an XFS takes; a volume may be announced smaller, never larger, than its image.
	smallestImage = 300 << 20
)

// volume is what is remembered of one, beside its image.
type volume struct {
	ID string `json:"id"`
	// Size is the announced capacity in bytes.
	Size int64 `json:"size"`
}

// store is a folder with an image and a description for each volume.
type store struct{ dir string }

// image is the path of a volume's file. The id is reduced to a file name, so none can lead out of the folder.
func (s store) image(id string) string { return filepath.Join(s.dir, filepath.Base(id)+".img") }

func (s store) description(id string) string { return filepath.Join(s.dir, filepath.Base(id)+".json") }

// load gives a volume, or NotFound.
func (s store) load(id string) (volume, error) {
	var v volume
	text, err := os.ReadFile(s.description(id))
	if errors.Is(err, fs.ErrNotExist) {
		return v, status.Errorf(codes.NotFound, "volume %s does not exist", id)
	}
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal(text, &v)
}

// create makes image and file system. The description is written last: without it the volume does not exist yet, and a
// second attempt starts over.
func (s store) create(v volume) error {
	file, err := os.OpenFile(s.image(v.ID), os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Truncate(max(v.Size, smallestImage)); err != nil {
		return err
	}
	if err := execute("mkfs.xfs", "-q", "-f", s.image(v.ID)); err != nil {
		return err
	}
	return s.save(v)
}

// grow makes the image larger; the file system in it follows on the node.
func (s store) grow(v volume, size int64) (volume, error) {
	if size <= v.Size {
		return v, nil
	}
	if err := os.Truncate(s.image(v.ID), max(size, smallestImage)); err != nil {
		return v, err
	}
	v.Size = size
	return v, s.save(v)
}

func (s store) save(v volume) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	temporary := s.description(v.ID) + ".new"
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, s.description(v.ID))
}

// remove deletes a volume; one that is gone already is fine.
func (s store) remove(id string) error {
	for _, path := range []string{s.description(id), s.image(id)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// loopDevice is the device that an image is attached to, or empty.
func (s store) loopDevice(id string) (string, error) {
	out, err := exec.Command("losetup", "--noheadings", "--output", "NAME", "--associated", s.image(id)).Output()
	if err != nil {
		return "", failure([]string{"losetup"}, err, nil)
	}
	device, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return device, nil
}

// execute runs a command; what it said is part of the error.
func execute(argv ...string) error {
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return failure(argv, err, out)
	}
	return nil
}

func failure(argv []string, err error, out []byte) error {
	return status.Errorf(codes.Internal, "%s: %v: %s", strings.Join(argv, " "), err, out)
}
