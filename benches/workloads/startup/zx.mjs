import "zx/globals";
