package localvault

import "slices"

// named returns the version to name in an answer.
func (s *Server) named(v *version) *version {
	if !s.faults.take(func(f *Faults) *int { return &f.WrongVersion }) {
		return v
	}
	key, err := s.keys.snapshot(v.name)
	if err != nil {
		key = entry{}
	}
	for _, other := range key.versions {
		if other.id != v.id {
			return other
		}
	}
	other := *v
	other.id = v.id[16:] + v.id[:16]
	return &other
}

// namedAlgorithm returns the algorithm to name in an answer of a Managed HSM.
func (s *Server) namedAlgorithm(name string) string {
	if !s.faults.take(func(f *Faults) *int { return &f.WrongAlgorithm }) {
		return name
	}
	if i := slices.IndexFunc(encryptions, func(e encryption) bool { return e.name == name }); i >= 0 {
		return encryptions[(i+1)%len(encryptions)].name
	}
	i := slices.IndexFunc(algorithms, func(a algorithm) bool { return a.name == name })
	return algorithms[(i+1)%len(algorithms)].name
}

// spoil changes an answer of encrypt, decrypt, wrap or unwrap as the faults
// ask. What an answer does not have uses up no fault.
func (s *Server) spoil(a *cipherAnswer) {
	if len(a.Value) > 0 && s.faults.take(func(f *Faults) *int { return &f.WrongValue }) {
		a.Value = slices.Clone(a.Value)
		a.Value[len(a.Value)/2] ^= 1
	}
	if len(a.IV) > 0 && s.faults.take(func(f *Faults) *int { return &f.ShortIV }) {
		a.IV = a.IV[1:]
	}
	if len(a.Tag) > 0 && s.faults.take(func(f *Faults) *int { return &f.ShortTag }) {
		a.Tag = a.Tag[1:]
	}
}
