package probe

// syscallRegister holds the number of the system call in struct pt_regs.
const syscallRegister = "syscallno"
