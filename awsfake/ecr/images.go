package ecr

import (
	"fmt"

	"tegata/awsfake/wire"
)

type imagesOut struct {
	ImageIDs []struct{} `json:"imageIds"`
}

// listImages finds none: nothing can be pushed here.
func (s *Service) listImages(c *wire.Call, in target) (imagesOut, error) {
	_, err := s.find(c, "ListImages", in)
	return imagesOut{ImageIDs: []struct{}{}}, err
}

type imageID struct {
	Digest *string `json:"imageDigest"`
	Tag    *string `json:"imageTag"`
}

type describeImagesIn struct {
	target
	ImageIDs []imageID `json:"imageIds"`
}

type describeImagesOut struct {
	ImageDetails []struct{} `json:"imageDetails"`
}

// describeImages finds none either, and so no image that is asked for.
func (s *Service) describeImages(c *wire.Call, in describeImagesIn) (describeImagesOut, error) {
	r, err := s.find(c, "DescribeImages", in.target)
	if err == nil && len(in.ImageIDs) > 0 {
		err = wire.Refuse("ImageNotFoundException", fmt.Sprintf(
			"The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
			orNull(in.ImageIDs[0].Digest), orNull(in.ImageIDs[0].Tag), r.Name, r.Registry))
	}
	return describeImagesOut{[]struct{}{}}, err
}

func orNull(text *string) string {
	if text == nil {
		return "null"
	}
	return *text
}

type mutabilityIn struct {
	target
	ImageTagMutability string `json:"imageTagMutability"`
}

type mutabilityOut struct {
	RegistryID         string `json:"registryId"`
	RepositoryName     string `json:"repositoryName"`
	ImageTagMutability string `json:"imageTagMutability"`
}

func (s *Service) putMutability(c *wire.Call, in mutabilityIn) (mutabilityOut, error) {
	var v wire.Checks
	checkName(&v, in.RepositoryName)
	v.Enum("imageTagMutability", in.ImageTagMutability, "MUTABLE", "IMMUTABLE")
	if err := v.Err(c); err != nil {
		return mutabilityOut{}, err
	}
	r, err := s.find(c, "PutImageTagMutability", in.target)
	if err != nil {
		return mutabilityOut{}, err
	}
	r.Mutability = in.ImageTagMutability
	return mutabilityOut{r.Registry, r.Name, r.Mutability}, nil
}

type scanningIn struct {
	target
	ImageScanningConfiguration *scanning `json:"imageScanningConfiguration"`
}

type scanningOut struct {
	RegistryID                 string   `json:"registryId"`
	RepositoryName             string   `json:"repositoryName"`
	ImageScanningConfiguration scanning `json:"imageScanningConfiguration"`
}

func (s *Service) putScanning(c *wire.Call, in scanningIn) (scanningOut, error) {
	var v wire.Checks
	checkName(&v, in.RepositoryName)
	v.Required("imageScanningConfiguration", in.ImageScanningConfiguration != nil)
	if err := v.Err(c); err != nil {
		return scanningOut{}, err
	}
	r, err := s.find(c, "PutImageScanningConfiguration", in.target)
	if err != nil {
		return scanningOut{}, err
	}
	r.ScanOnPush = in.ImageScanningConfiguration.ScanOnPush
	return scanningOut{r.Registry, r.Name, scanning{r.ScanOnPush}}, nil
}
