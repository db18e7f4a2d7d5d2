module github.com/signmill/signmill

go 1.26.0
