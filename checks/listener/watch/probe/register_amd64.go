package probe

// syscallRegister holds the number of the system call in struct pt_regs.
const syscallRegister = "orig_ax"
