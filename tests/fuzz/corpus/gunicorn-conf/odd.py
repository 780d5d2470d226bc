from base import *
timeout += 1
if (user := 1): exec("x")
d = {'a': (1, [2])} ; threads = 2\

