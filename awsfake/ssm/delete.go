package ssm

import "tegata/awsfake/wire"

type deleteIn struct{ Name *string }

func (s *Service) deleteParameter(c *wire.Call, in deleteIn) (struct{}, error) {
	if err := checkName(c, in.Name); err != nil {
		return struct{}{}, err
	}
	sel, err := s.read(c, *in.Name)
	if err != nil {
		return struct{}{}, err
	}
	p, err := s.find(c, "DeleteParameter", sel.name)
	if err != nil {
		return struct{}{}, err
	}
	delete(s.region(c), p.Name)
	return struct{}{}, nil
}

type deleteManyIn struct{ Names []string }

type deleteManyOut struct{ DeletedParameters, InvalidParameters []string }

// deleteParameters deletes all of them, or none where one is forbidden.
func (s *Service) deleteParameters(c *wire.Call, in deleteManyIn) (deleteManyOut, error) {
	if err := checkNames(c, in.Names); err != nil {
		return deleteManyOut{}, err
	}
	var found []string
	for _, name := range in.Names {
		sel, err := s.read(c, name)
		if err == nil {
			err = s.authorize(c, "DeleteParameters", sel.name, nil)
		}
		if err != nil {
			return deleteManyOut{}, err
		}
		found = append(found, sel.name)
	}
	out := deleteManyOut{DeletedParameters: []string{}, InvalidParameters: []string{}}
	all := s.region(c)
	for _, name := range found {
		if all[name] == nil {
			out.InvalidParameters = append(out.InvalidParameters, name)
			continue
		}
		delete(all, name)
		out.DeletedParameters = append(out.DeletedParameters, name)
	}
	return out, nil
}
